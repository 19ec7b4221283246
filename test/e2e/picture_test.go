package e2e

import (
	"flag"
	"image/png"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

var update = flag.Bool("update", false, "take new pictures of the status page; two minutes")

// pictures are the pictures of the status page in the documents.
var pictures = []struct {
	file, path, scheme string
	width, height      int64
}{
	{"../../docs/status-page.png", "/", "light", 1280, 820},
	{"../../docs/status-page-dark.png", "/?target=studio", "dark", 1280, 820},
	{"../../docs/status-page-phone.png", "/", "light", 390, 844},
	{"../../docs/session-page.png", "/session?target=studio&session=signage", "light", 1280, 820},
}

// TestPicture checks the size of the pictures. With -update it takes them from the demo, after
// two minutes of scrapes.
func TestPicture(t *testing.T) {
	const maxSize = 250 << 10
	if *update {
		takePictures(t)
	}
	for _, p := range pictures {
		content := read(t, p.file)
		c, err := png.DecodeConfig(strings.NewReader(content))
		if err != nil || int64(c.Width) != p.width || int64(c.Height) != p.height {
			t.Errorf("%s is %d by %d, want %d by %d (%v)", p.file, c.Width, c.Height, p.width, p.height, err)
		}
		if len(content) > maxSize {
			t.Errorf("%s has %d bytes, want at most %d", p.file, len(content), maxSize)
		}
	}
}

func takePictures(t *testing.T) {
	t.Helper()
	address := startDemo(t)
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for range 62 {
		<-tick.C
		get(t, address+"/metrics")
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
