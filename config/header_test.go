package config

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHeader(t *testing.T) {
	dir := goodDir(t)
	config, err := Load(filepath.Join(dir, "full.yml"))
	if err != nil {
		t.Fatal(err)
	}
	target, file := config.Targets[0], filepath.Join(dir, "secrets", "gateway.key")

	if _, err := target.Header(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Header = %v without its file, want %v", err, os.ErrNotExist)
	}
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"first", "second"} {
		write(t, file, " "+value+"\n")
		got, err := target.Header(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := http.Header{"X-Gateway-Key": {"plain", "CANARY-gateway", value}, "X-Seen": {"one", "two"}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	for content, want := range map[string]error{" \n": errHeaderEmpty, "CANARY\nCANARY": errHeaderValue} {
		write(t, file, content)
		_, err := target.Header(t.Context())
		if !errors.Is(err, want) {
			t.Errorf("Header = %v, want %v", err, want)
		}
		noCanary(t, errorText(err))
	}
}

func TestNoHeader(t *testing.T) {
	target := new(Target)
	allocs := testing.AllocsPerRun(100, func() {
		if header, err := target.Header(t.Context()); header != nil || err != nil {
			t.Fatalf("Header = %v, %v", header, err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations for no header", allocs)
	}
}
