package logging

import (
	"bufio"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log/level"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestNew has a line of each logger. Their times are in UTC, wherever the machine is.
func TestNew(t *testing.T) {
	local := time.Local
	t.Cleanup(func() { time.Local = local })
	time.Local = time.FixedZone("elsewhere", 3*60*60)
	const when = `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z`
	for format, want := range map[string]string{
		"logfmt": `^level=info time=` + when + ` caller=logging_test.go:\d+ msg=one\nlevel=warn caller=logging_test.go:\d+ time=` + when + ` msg=two\n$`,
		"json": `^{"caller":"logging_test.go:\d+","level":"info","msg":"one","time":"` + when + `"}\n` +
			`{"caller":"logging_test.go:\d+","level":"warn","msg":"two","time":"` + when + `"}\n$`,
	} {
		var out strings.Builder
		logger, slogger, flush := New(&out, format, "info")
		_ = level.Debug(logger).Log("msg", "below the minimum")
		slogger.Debug("below the minimum")
		_ = level.Info(logger).Log("msg", "one")
		slogger.Warn("two")
		flush()
		if !regexp.MustCompile(want).MatchString(out.String()) {
			t.Errorf("%s: got\n%s", format, out.String())
		}
	}
}

// TestNobodyReads is that the program goes on and ends if nobody reads its log. Lines are lost.
func TestNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		logger, _, flush := New(w, "logfmt", "info")
		begin := time.Now()
		for n := range 2 * maxLines {
			_ = logger.Log("n", n)
		}
		if took := time.Since(begin); took > 0 {
			t.Errorf("it took %v to log", took)
		}
		flush()
		if took := time.Since(begin); took != flushTimeout {
			t.Errorf("it took %v to flush, want %v", took, flushTimeout)
		}

		read := make(chan string)
		go func() {
			text, _ := io.ReadAll(r)
			read <- string(text)
		}()
		synctest.Wait()
		_ = logger.Log("msg", "the reader is back")
		flush()
		_ = w.Close()
		text := <-read
		if n := strings.Count(text, "n="); n < maxLines || n > maxLines+1 {
			t.Errorf("%d lines were written, want %d", n, maxLines)
		}
		if !strings.Contains(text, "the reader is back") {
			t.Error("the line after the flush was lost")
		}
	})
}

// TestDroppedLinesAreCounted has a reader who stops and reads again. One line, in their place,
// says how many lines were lost, also if nothing is logged afterwards.
func TestDroppedLinesAreCounted(t *testing.T) {
	for _, tt := range []struct{ format, want string }{
		{"logfmt", `msg="dropped log lines" count=7`},
		{"json", `"count":7`},
	} {
		t.Run(tt.format, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, w := io.Pipe()
				logger, _, flush := New(w, tt.format, "error")
				_ = level.Error(logger).Log("n", "first")
				synctest.Wait() // the first line is being written
				for n := range maxLines + 7 {
					_ = level.Error(logger).Log("n", n)
				}
				lines := bufio.NewScanner(r)
				var last string
				for range maxLines + 2 {
					if !lines.Scan() {
						t.Fatal("a line is missing")
					}
					last = lines.Text()
				}
				if !strings.Contains(last, tt.want) || !strings.Contains(last, "warn") {
					t.Errorf("the last line is %s, want %s", last, tt.want)
				}
				go func() {
					for lines.Scan() {
						t.Errorf("one more line: %s", lines.Text())
					}
				}()
				flush()
				_ = w.Close()
				synctest.Wait()
			})
		})
	}
}
