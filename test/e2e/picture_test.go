package e2e

import (
	"bytes"
	"flag"

	"image/png"
	"os"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

var update = flag.Bool("update", false, "take the pictures of the status page anew, in two minutes")

// pictures are those that the documentation shows of the status page.
var pictures = []struct {
	file, path, scheme string
	width, height      int64
}{
	{"../../docs/status-page.png", "/", "light", 1280, 820},
	{"../../docs/status-page-dark.png", "/?target=studio", "dark", 1280, 820},
	{"../../docs/status-page-phone.png", "/", "light", 390, 844},
	{"../../docs/session-page.png", "/session?target=studio&session=signage", "light", 1280, 820},
}

// TestPicture is that the pictures of the documentation are there and are no burden. With -update, it takes them from the
// demo, once that has a past to show.
func TestPicture(t *testing.T) {
	const most = 250 << 10
	if *update {
		takePictures(t)
	}
	for _, p := range pictures {
		content, err := os.ReadFile(p.file)
		if err != nil {
			t.Error(err)
			continue
		}
		c, err := png.DecodeConfig(bytes.NewReader(content))
		if err != nil || int64(c.Width) != p.width || int64(c.Height) != p.height {
			t.Errorf("%s is %d by %d, want %d by %d (%v)", p.file, c.Width, c.Height, p.width, p.height, err)
		}
		if len(content) > most {
			t.Errorf("%s has %d bytes, want %d at most", p.file, len(content), most)
		}
	}
}

func takePictures(t *testing.T) {
	t.Helper()
	_, address := startDemo(t)
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for range 62 {
		<-tick.C
		get(t, address+"/metrics", nil)
	}
	b := openBrowser(t)
	for _, p := range pictures {
		b.scheme(p.scheme)
		b.resize(p.width, p.height)
		b.open(address + p.path)
		picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p.file, picture, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
