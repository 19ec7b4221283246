package main

import (
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestFiguresAreOfNow is that docs/performance.md was measured at most 30 commits of what it measures ago.
func TestFiguresAreOfNow(t *testing.T) {
	const most = 30
	page, err := os.ReadFile("../../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	revision := regexp.MustCompile(`\| hmp_exporter \| version .*revision: ([0-9a-f]{40})\)`).FindSubmatch(page)
	if revision == nil {
		t.Fatal("the page does not say which revision was measured")
	}
	git := exec.Command("git", "rev-list", "--count", string(revision[1])+"..HEAD", "--",
		"../../collector", "../../config", "../../internal/hmp", "../../internal/token", "../../internal/web")
	output, err := git.Output()
	if err != nil {
		t.Skipf("a shallow clone or an archive does not have the commit that was measured: %v", err)
	}
	count, err := strconv.Atoi(strings.TrimSpace(string(output)))
	if err != nil {
		t.Fatal(err)
	}
	if count > most {
		t.Errorf("%d commits have changed what docs/performance.md measures, want %d at most: make bench-peers", count, most)
	}
}
