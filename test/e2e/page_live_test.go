package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The session changes when its token file is there: nothing listens where its HMP should be.
const changingConfig = `
targets:
  - name: studio
    url: http://127.0.0.1:1
    sessions:
      - {name: playout, token_file: playout.token}
%s`

// TestPageFollows is that an open page follows what scrapes see, while the person who reads it is not disturbed.
func TestPageFollows(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var others strings.Builder
	for i := range 40 {
		fmt.Fprintf(&others, "      - {name: rest-%d, token_file: none}\n", i)
	}
	write := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("hmp.yml", fmt.Sprintf(changingConfig, others.String()))
	exporter := start(t, command(t, exporterBinary, "--config.file="+filepath.Join(dir, "hmp.yml"), "--web.listen-address=127.0.0.1:0"))
	address := exporter.url(t)
	get(t, address+"/metrics", nil)

	detail, list, left := openBrowser(t), openBrowser(t), openBrowser(t)
	left.open(address + "/?result=credentials")
	list.open(address + "/?sort=name")
	const row = `document.querySelector('tr[data-key="studio/playout"]')`
	list.exec(`{
		const input = document.querySelector("input[name=q]");
		input.value = "half a na";
		input.focus();
		scrollTo(0, 300);
		window.same = ` + row + `;
	}`)
	detail.open(address + "/session?target=studio&session=playout")
	detail.exec(`{
		const first = document.querySelector("details");
		first.open = false;
		window.kept = first;
		document.querySelector("button.main").focus();
	}`)

	write("playout.token", "CANARY\n")
	get(t, address+"/metrics", nil)
	list.until("the list shows the change", row+`.dataset.result === "connect"`)
	list.until("the change is announced", `document.getElementById("news").textContent === "studio/playout: credentials, now connect"`)
	if !eval[bool](list, row+` === window.same && scrollY === 300 && document.activeElement.name === "q" && document.activeElement.value === "half a na"`) {
		t.Error("the place, the focus or what was being typed is lost")
	}
	if title := eval[string](list, `document.title`); !strings.HasPrefix(title, "41 of 41 not valid") {
		t.Errorf("the title is %q", title)
	}
	left.until("the session leaves the list of those with the result before", `document.querySelectorAll("tr[data-key]").length === 40 && !`+row)
	detail.until("the page of the session shows the change", `document.querySelector("h1 .result").textContent === "connect"`)
	if !eval[bool](detail, `window.kept.isConnected && !window.kept.open && document.querySelectorAll("details").length === 2 && document.activeElement.matches("button.main")`) {
		t.Error("details that were closed are open or gone, or the focus is lost")
	}

	for _, b := range []*browser{list, left, detail} {
		b.tolerate()
	}
	exporter.stop(t)
	list.until("the page says that the exporter is away", `!document.getElementById("offline").hidden && document.getElementById("offline").textContent.startsWith("The exporter cannot be reached since ")`)
	if got := list.rows(); len(got) != 41 {
		t.Errorf("of what was shown before, %d sessions are left", len(got))
	}
}
