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

func TestNew(t *testing.T) {
	for _, tt := range []struct{ format, want string }{
		{"logfmt", "level=info time=T caller=logging_test.go:L msg=one\nlevel=warn msg=two\n"},
		{"json", `"level":"info","msg":"one"`},
	} {
		t.Run(tt.format, func(t *testing.T) {
			var out strings.Builder
			logger, slogger, flush := New(&out, tt.format, "info")
			_ = level.Debug(logger).Log("msg", "none")
			_ = level.Info(logger).Log("msg", "one")
			slogger.Warn("two")
			flush()
			got := out.String()
			if tt.format == "json" {
				if !strings.Contains(got, tt.want) || strings.Count(got, "\n") != 2 {
					t.Errorf("got %s", got)
				}
				return
			}
			for _, part := range []string{"level=info time=", "caller=logging_test.go:", "msg=one\nlevel=warn", "msg=two\n"} {
				if !strings.Contains(got, part) || strings.Contains(got, "none") {
					t.Errorf("got %s, want %q", got, part)
				}
			}
		})
	}
}

// TestTimeZone is that all lines have times of the same zone, wherever the machine is.
func TestTimeZone(t *testing.T) {
	here := time.Local
	t.Cleanup(func() { time.Local = here })
	time.Local = time.FixedZone("elsewhere", 3*60*60)
	for _, format := range []string{"logfmt", "json"} {
		var out strings.Builder
		logger, slogger, flush := New(&out, format, "info")
		_ = level.Info(logger).Log("msg", "one")
		slogger.Info("two")
		flush()
		zones := regexp.MustCompile(`time"?[=:]"?[0-9T:.-]+([Z+]\S{0,5})`).FindAllStringSubmatch(out.String(), -1)
		if len(zones) != 2 || zones[0][1][0] != 'Z' || zones[1][1][0] != 'Z' {
			t.Errorf("the zones are %q in\n%s", zones, out.String())
		}
	}
}

// TestNobodyReads has a reader stop. The program goes on, loses lines, and ends.
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
			t.Errorf("%d lines came through, want those that there is room for", n)
		}
		if !strings.Contains(text, "the reader is back") {
			t.Error("the line of afterwards is missing")
		}
	})
}

// TestDroppedLinesAreCounted has a reader stop and read again: one line says how many
// lines are missing, in their place, also if nothing is logged afterwards.
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
