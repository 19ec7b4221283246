package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// A hungDisk opens the files of one directory when it is repaired, and all others at once.
type hungDisk struct {
	dir      string
	repaired chan struct{}
	opened   atomic.Int64 // files of the directory
}

// hang makes a directory hang until the test ends or the disk is repaired.
func hang(f *fileReader, dir string) *hungDisk {
	d := &hungDisk{dir: dir, repaired: make(chan struct{})}
	next := f.open
	f.open = func(path string) (*os.File, error) {
		if strings.HasPrefix(path, d.dir) {
			d.opened.Add(1)
			<-d.repaired
		}
		return next(path)
	}
	return d
}

// withHungDisk runs a test in a bubble, with a directory that hangs for the whole process.
func withHungDisk(t *testing.T, test func(t *testing.T, d *hungDisk)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		before := files
		files = newFileReader()
		defer func() { files = before }()
		d := hang(files, dir)
		test(t, d)
		close(d.repaired)
		synctest.Wait()
		if n := len(files.running); n > 0 {
			t.Errorf("%d readings are left behind", n)
		}
	})
}

// within returns a context of that length, and what must be called with its end.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// Every caller waits until its own deadline, and one file has one reading.
func TestSecretOfHungDisk(t *testing.T) {
	withHungDisk(t, func(t *testing.T, d *hungDisk) {
		source := SecretSource{name: "token_file", file: filepath.Join(d.dir, "token"), kind: isToken}
		target := &Target{headers: []header{{name: "X-Key", sources: []SecretSource{source}}}}
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				timeout, start := time.Duration(i+1)*time.Second, time.Now()
				_, err := source.Read(within(t, timeout))
				if _, err2 := target.Header(within(t, 0)); !errors.Is(err, ErrSlowFile) || !errors.Is(err2, ErrSlowFile) {
					t.Errorf("Read = %v, Header = %v", err, err2)
				}
				if took := time.Since(start); took != timeout {
					t.Errorf("took %s, want %s", took, timeout)
				}
			})
		}
		wg.Wait()
		if n := d.opened.Load(); n != 1 {
			t.Errorf("%d files were opened at once, want 1", n)
		}
	})
}

// A disk that hangs costs few threads, and nobody who reads another directory.
func TestReadingsAreBounded(t *testing.T) {
	healthy := filepath.Join(t.TempDir(), "token")
	write(t, healthy, "CANARY")
	for _, tt := range []struct {
		name string
		file func(dir string, i int) string
		want int64
	}{
		{"of a directory", func(dir string, i int) string { return fmt.Sprintf("%s/%d", dir, i) }, maxReadingsInDirectory},
		{"of all", func(dir string, i int) string { return fmt.Sprintf("%s/%d/%d", dir, i/10, i) }, maxReadings},
	} {
		t.Run(tt.name, func(t *testing.T) {
			withHungDisk(t, func(t *testing.T, d *hungDisk) {
				var wg sync.WaitGroup
				for i := range 10_000 {
					wg.Go(func() {
						if _, err := readFile(within(t, time.Second), tt.file(d.dir, i), 10); !errors.Is(err, ErrSlowFile) {
							t.Errorf("readFile = %v, want %v", err, ErrSlowFile)
						}
					})
				}
				if tt.want == maxReadingsInDirectory {
					synctest.Wait()
					if _, err := readFile(within(t, time.Second), healthy, 10); err != nil {
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

// Whoever waits for a reading of the directory to end gets the next one.
func TestReadingAfterWaiting(t *testing.T) {
	withHungDisk(t, func(t *testing.T, d *hungDisk) {
		var read atomic.Int64
		var wg sync.WaitGroup
		for i := range 3 * maxReadingsInDirectory {
			for range 2 {
				wg.Go(func() {
					_, err := readFile(within(t, time.Minute), fmt.Sprintf("%s/%d", d.dir, i), 10)
					if errors.Is(err, fs.ErrNotExist) {
						read.Add(1)
					}
				})
			}
		}
		synctest.Wait()
		if n := d.opened.Load(); n != maxReadingsInDirectory {
			t.Errorf("%d files were opened at once, want %d", n, maxReadingsInDirectory)
		}
		d.repaired <- struct{}{} // one of them
		synctest.Wait()
		if n := d.opened.Load(); n != maxReadingsInDirectory+1 {
			t.Errorf("%d files were opened, want the next one", n)
		}
		d.dir = "none" // from here on the disk is well
		for range maxReadingsInDirectory {
			d.repaired <- struct{}{}
		}
		wg.Wait()
		if n := read.Load(); n != 6*maxReadingsInDirectory {
			t.Errorf("%d readings came to an end, want all", n)
		}
	})
}

// The programs of a person end, too.
func TestChecksOfHungDisk(t *testing.T) {
	withHungDisk(t, func(t *testing.T, d *hungDisk) {
		healthy := filepath.Join(filepath.Dir(d.dir), "healthy") + "-none"
		config, err := fromEnvironment(t.Context(), func(name string) string {
			return map[string]string{"HMP_URL": "https://h", "HMP_API_KEY_FILE": filepath.Join(d.dir, "key"), "HMP_API_SECRET_FILE": healthy}[name]
		})
		if err != nil {
			t.Fatal(err)
		}
		err = config.CheckSecrets()
		if !strings.Contains(errorText(err), ErrSlowFile.Error()) || !strings.Contains(errorText(err), "no such file") {
			t.Errorf("CheckSecrets = %v", err)
		}
		if warnings := config.Warnings(); warnings != nil {
			t.Errorf("Warnings = %v", warnings)
		}
		if _, err := Load(filepath.Join(d.dir, "hmp.yml")); !strings.HasSuffix(errorText(err), "/hmp.yml: could not be read in time; find out whether its disk hangs") {
			t.Errorf("Load = %v", err)
		}
	})
}

// What this side lacks can be told from a file that is not there.
func TestLackOfDescriptors(t *testing.T) {
	before := files
	files = newFileReader()
	defer func() { files = before }()
	for _, lack := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM} {
		files.open = func(path string) (*os.File, error) {
			return nil, &fs.PathError{Op: "open", Path: path, Err: lack}
		}
		source := SecretSource{name: "token_file", file: "token"}
		_, read := source.Read(t.Context())
		_, header := (&Target{headers: []header{{sources: []SecretSource{source}}}}).Header(t.Context())
		_, certificate := clientCertificate(t.Context(), source, source, time.Second)
		if !errors.Is(read, lack) || !errors.Is(header, lack) || !errors.Is(certificate, lack) {
			t.Errorf("%v, %v, %v; want each to be %v", read, header, certificate, lack)
		}
	}
}

// TestManyReaders is for the race detector.
func TestManyReaders(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		write(t, fmt.Sprintf("%s/%d", dir, i), strings.Repeat(fmt.Sprint(i), 10))
	}
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			for range 50 {
				data, err := readFile(t.Context(), fmt.Sprintf("%s/%d", dir, i%3), 10)
				if want := strings.Repeat(fmt.Sprint(i%3), 10); err != nil || string(data) != want {
					t.Errorf("readFile = %q, %v; want %q", data, err, want)
				}
				runtime.Gosched()
			}
		})
	}
	wg.Wait()
}

func BenchmarkRead(b *testing.B) {
	file := filepath.Join(b.TempDir(), "token")
	write(b, file, strings.Repeat("a", 36))
	b.Run("bounded", func(b *testing.B) {
		for b.Loop() {
			if _, err := readFile(b.Context(), file, maxSecretFile); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("direct", func(b *testing.B) {
		for b.Loop() {
			if _, err := files.read(file, maxSecretFile); err != nil {
				b.Fatal(err)
			}
		}
	})
}
