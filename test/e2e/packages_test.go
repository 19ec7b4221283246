//go:build linux && release

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/canary"
)

// packaged has the mode, owner and group of files in both packages. An upgrade leaves "config"
// files as they are.
var packaged = map[string]string{
	"/usr/bin/hmp_exporter":                                    "-rwxr-xr-x root root",
	"/usr/lib/systemd/system/hmp_exporter.service":             "-rw-r--r-- root root",
	"/etc/default/hmp_exporter":                                "-rw-r--r-- root root config",
	"/etc/hmp_exporter/hmp.yml":                                "-rw-r----- root hmp_exporter config",
	"/etc/hmp_exporter/secrets":                                "drwxr-x--- root hmp_exporter",
	"/usr/share/man/man1/hmp_exporter.1.gz":                    "-rw-r--r-- root root",
	"/usr/share/bash-completion/completions/hmp_exporter":      "-rw-r--r-- root root",
	"/usr/share/doc/hmp-exporter/copyright":                    "-rw-r--r-- root root",
	"/usr/share/doc/hmp-exporter/reference.yml":                "-rw-r--r-- root root",
	"/usr/share/doc/hmp-exporter/alerts/hmp.yml":               "-rw-r--r-- root root",
	"/usr/share/doc/hmp-exporter/dashboards/hmp-overview.json": "-rw-r--r-- root root",
}

// TestReleaseDeb checks the .deb.
func TestReleaseDeb(t *testing.T) {
	d := readDist(t)
	fields := run(t, "dpkg-deb", "--show", "--showformat=${Package} ${Version} ${Architecture} ${Pre-Depends} ${Section}", d.pkg(".deb"))
	if want := "hmp-exporter " + strings.Replace(d.Version, "-", "~", 1) + " amd64 passwd net"; fields != want {
		t.Errorf("the package is %q, want %q", fields, want)
	}
	conffiles := strings.Fields(run(t, "dpkg-deb", "--info", d.pkg(".deb"), "conffiles"))
	got := make(map[string]string)
	for line := range strings.Lines(run(t, "dpkg-deb", "--contents", d.pkg(".deb"))) {
		mode, rest, _ := strings.Cut(line, " ")
		owner, _, _ := strings.Cut(rest, " ")
		name := strings.TrimSuffix(line[strings.LastIndex(line, " ./")+2:], "\n")
		got[strings.TrimSuffix(name, "/")] = describe(mode, strings.Replace(owner, "/", " ", 1), slices.Contains(conffiles, name))
	}
	comparePackaged(t, got, "/usr/share/zsh/vendor-completions/_hmp_exporter")
}

// TestReleaseRPM checks the .rpm. There is no system here to install it on.
func TestReleaseRPM(t *testing.T) {
	d := readDist(t)
	fields := run(t, "rpm", "--query", "--queryformat=%{NAME} %{VERSION} %{ARCH} %{LICENSE}", "--package", d.pkg(".rpm"))
	if want := "hmp-exporter " + strings.Replace(d.Version, "-", "~", 1) + " x86_64 Apache-2.0"; fields != want {
		t.Errorf("the package is %q, want %q", fields, want)
	}
	got := make(map[string]string)
	for line := range strings.Lines(run(t, "rpm", "--query", "--queryformat=[%{FILENAMES} %{FILEMODES:perms} %{FILEUSERNAME} %{FILEGROUPNAME} %{FILEFLAGS:fflags}\n]", "--package", d.pkg(".rpm"))) {
		file := strings.Fields(line)
		config := len(file) == 5 && file[4] == "cn" // noreplace
		got[file[0]] = describe(file[1], file[2]+" "+file[3], config)
	}
	comparePackaged(t, got, "/usr/share/zsh/site-functions/_hmp_exporter")
	scripts := run(t, "rpm", "--query", "--scripts", "--package", d.pkg(".rpm"))
	for _, want := range []string{"preinstall scriptlet", "useradd --system", "systemctl try-restart", "systemctl disable --now"} {
		if !strings.Contains(scripts, want) {
			t.Errorf("the scripts have no %s:\n%s", want, scripts)
		}
	}
}

func describe(mode, owner string, config bool) string {
	if config {
		owner += " config"
	}
	return mode + " " + owner
}

func comparePackaged(t *testing.T, got map[string]string, completion string) {
	t.Helper()
	if got[completion] == "" {
		t.Errorf("there is no %s", completion)
	}
	found := make(map[string]string)
	for name := range packaged {
		found[name] = got[name]
	}
	if diff := cmp.Diff(packaged, found); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// TestReleaseInstalled installs the package under a real systemd, configures it as its hmp.yml
// says, and starts the service. Then it upgrades and removes the package.
func TestReleaseInstalled(t *testing.T) {
	hmp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"data": {}}`)
	}))
	t.Cleanup(hmp.Close)
	deb := readDist(t).pkg(".deb")
	m := boot(t, map[string]string{
		"hmp-exporter.deb": read(t, deb),
		"hmp.yml":          fmt.Sprintf(`targets: [{name: studio, url: %q, sessions: [{name: playout, token_file: secrets/playout.token}]}]`, hmp.URL),
		"default":          "HMP_EXPORTER_WEB_LISTEN_ADDRESS=127.0.0.1:0\n",
		"token":            canary.Word + "\n",
	})
	expectMetric(t, m.waitForURL(t), `hmp_session_valid{session="playout",target="studio"} 1`)
	if got := m.property(t, "FragmentPath"); got != "/usr/lib/systemd/system/"+unit && got != "/lib/systemd/system/"+unit {
		t.Errorf("the unit is %s", got)
	}

	t.Run("manual and completion", func(t *testing.T) {
		m.do(t, "test", "-s", "/usr/share/man/man1/hmp_exporter.1.gz")
		m.do(t, "bash", "-c", ". /usr/share/bash-completion/completions/hmp_exporter && complete -p hmp_exporter")
	})
	t.Run("upgrade", func(t *testing.T) {
		before := m.property(t, "MainPID")
		file, err := filepath.Abs(deb)
		if err != nil {
			t.Fatal(err)
		}
		m.do(t, "dpkg", "--no-triggers", "--install", file)
		if after := m.property(t, "MainPID"); after == before || after == "0" {
			t.Errorf("the process %s was not restarted: %s", before, after)
		}
		if text := m.do(t, "cat", "/etc/hmp_exporter/hmp.yml"); !strings.Contains(text, "name: studio") {
			t.Errorf("the configuration was replaced:\n%s", text)
		}
	})
	t.Run("remove", func(t *testing.T) {
		m.do(t, "dpkg", "--no-triggers", "--remove", "hmp-exporter")
		if got := m.property(t, "ActiveState"); got != "inactive" {
			t.Errorf("the service is %s", got)
		}
		m.do(t, "test", "-s", "/etc/hmp_exporter/secrets/playout.token")
		m.do(t, "test", "!", "-e", "/usr/bin/hmp_exporter")
	})
}
