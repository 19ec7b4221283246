package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/secret"
)

// A hungDisk opens the files of one directory only after repaired is closed.
type hungDisk struct {
	dir      string
	repaired chan struct{}
	opened   atomic.Int64 // files of the directory
}

// withHungDisk runs a test on a fake clock, with a directory whose files cannot be opened.
func withHungDisk(t *testing.T, test func(t *testing.T, d *hungDisk)) {
	t.Helper()
	d := &hungDisk{dir: t.TempDir()}
	synctest.Test(t, func(t *testing.T) {
		replaceFiles(t)
		d.repaired = make(chan struct{})
		open := files.open
		files.open = func(path string) (*os.File, error) {
			if strings.HasPrefix(path, d.dir) {
				d.opened.Add(1)
				<-d.repaired
			}
			return open(path)
		}
		test(t, d)
		close(d.repaired)
		synctest.Wait()
		if n := len(files.running); n > 0 {
			t.Errorf("%d reads are left", n)
		}
	})
}

// replaceFiles gives the test its own file reader.
func replaceFiles(t *testing.T) {
	before := files
	files = newFileReader()
	t.Cleanup(func() { files = before })
}

// within returns a context with a timeout.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// A read that is under way may have seen the file before it was replaced. A later caller gets
// the new content.
func TestReadIsNotOlderThanItsCall(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	exportertest.WriteFile(t, file, "old")
	synctest.Test(t, func(t *testing.T) {
		replaceFiles(t)
		open, proceed := files.open, make(chan struct{})
		files.open = func(path string) (*os.File, error) {
			opened, err := open(path)
			<-proceed
			return opened, err
		}
		got := make([]string, 3)
		var wg sync.WaitGroup
		read := func(i int) {
			wg.Go(func() {
				data, err := files.readFile(within(t, time.Minute), file, maxSecretFile)
				if got[i] = string(data); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		read(0)
		exportertest.WriteFile(t, file+".new", "new")
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
		read(1)
		read(2)
		close(proceed)
		wg.Wait()
		if diff := cmp.Diff([]string{"old", "new", "new"}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// Every caller waits until its own deadline, and one file is read once. The context of a
// handshake has no deadline, so the target's timeout bounds it.
func TestSecretOfHungDisk(t *testing.T) {
	withHungDisk(t, func(t *testing.T, d *hungDisk) {
		source := SecretSource{name: "token_file", file: filepath.Join(d.dir, "token"), kind: kindToken}
		for name, read := range map[string]func(timeout time.Duration) error{
			"Read": func(timeout time.Duration) error {
				_, err := source.Read(within(t, timeout))
				return err
			},
			"Header": func(timeout time.Duration) error {
				_, err := (&Target{headers: []header{{"X-Key", source}}}).Header(within(t, timeout))
				return err
			},
			"client certificate": func(timeout time.Duration) error {
				_, err := clientCertificate(t.Context(), SecretSource{name: "cert", value: secret.New("CANARY"), kind: kindPEM}, source, timeout)
				return err
			},
		} {
			var wg sync.WaitGroup
			for i := range 100 {
				wg.Go(func() {
					timeout, start := time.Duration(i)*time.Second, time.Now()
					if err := read(timeout); !errors.Is(err, errSlowFile) || time.Since(start) != timeout {
						t.Errorf("%s of %s = %v after %s", name, timeout, err, time.Since(start))
					}
				})
			}
			wg.Wait()
		}
		if n := d.opened.Load(); n != 1 {
			t.Errorf("%d files were opened at once, want 1", n)
		}
	})
}

// A disk that hangs takes few threads, and other directories can still be read.
func TestReadingsAreBounded(t *testing.T) {
	healthy := filepath.Join(t.TempDir(), "token")
	exportertest.WriteFile(t, healthy, "CANARY")
	for _, tt := range []struct {
		name string
		file func(dir string, i int) string
		want int64
	}{
		{"of a directory", func(dir string, i int) string { return fmt.Sprintf("%s/%d", dir, i) }, maxReadsInDirectory},
		{"of all", func(dir string, i int) string { return fmt.Sprintf("%s/%d/%d", dir, i/10, i) }, maxReads},
	} {
		t.Run(tt.name, func(t *testing.T) {
			withHungDisk(t, func(t *testing.T, d *hungDisk) {
				var wg sync.WaitGroup
				for i := range 10_000 {
					wg.Go(func() {
						if _, err := files.readFile(within(t, time.Second), tt.file(d.dir, i), 10); !errors.Is(err, errSlowFile) {
							t.Errorf("readFile = %v, want %v", err, errSlowFile)
						}
					})
				}
				if tt.want == maxReadsInDirectory {
					synctest.Wait()
					if _, err := files.readFile(within(t, time.Second), healthy, 10); err != nil {
						t.Errorf("readFile of a healthy disk = %v", err)
					}
				}
				wg.Wait()
				if n := d.opened.Load(); n != tt.want {
					t.Errorf("%d files were opened at once, want %d", n, tt.want)
				}
			})
		})
	}
}

// The error tells a lack of file descriptors or memory from a missing file.
func TestLackOfDescriptors(t *testing.T) {
	replaceFiles(t)
	for _, lack := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM} {
		files.open = func(path string) (*os.File, error) {
			return nil, &fs.PathError{Op: "open", Path: path, Err: lack}
		}
		source := SecretSource{name: "token_file", file: "token"}
		_, read := source.Read(t.Context())
		_, header := (&Target{headers: []header{{"X-Key", source}}}).Header(t.Context())
		_, certificate := clientCertificate(t.Context(), source, source, time.Second)
		if !errors.Is(read, lack) || !errors.Is(header, lack) || !errors.Is(certificate, lack) {
			t.Errorf("%v, %v, %v; want each to be %v", read, header, certificate, lack)
		}
	}
}
