package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestThresholds checks that colours change where alerts begin. A token has another threshold, but
// is not red before the alert fires.
func TestThresholds(t *testing.T) {
	for _, limit := range []struct {
		alert, before string // before is a pattern before the number
		want          float64
	}{
		{"HMPSessionLatencyHigh", `:hmp_session_probe_duration_seconds:median10m >`, slowProbe},
		{"HMPCertificateExpiringSoon", `<`, certificateSoon},
		{"HMPCertificateExpiringCritical", `<`, certificateNow},
		{"HMPSessionAvailabilityBurnFast", `avg1h > 14\.4 \*`, 1 - objective},
		{"HMPSessionAvailabilityBurnSlow", `avg1d > 3 \*`, 1 - objective},
	} {
		if got := numberIn(t, limit.alert, limit.before); got-limit.want > 1e-9 || limit.want-got > 1e-9 {
			t.Errorf("%s begins at %v, but colours change at %v", limit.alert, got, limit.want)
		}
	}
	if begins := numberIn(t, "HMPTokenExpiringUnrenewed", `time\(\) <`); tokenSoon > begins || tokenExpired > tokenSoon {
		t.Errorf("a token has colours from %v and %v s, but the alert begins at %v s", tokenExpired, tokenSoon, begins)
	}
}

// product matches a number or a product.
const product = `\s+([0-9.]+(?: \* [0-9.]+)*)`

// numberIn returns the number after a pattern in the expression of an alert.
func numberIn(t *testing.T, alert, before string) float64 {
	t.Helper()
	found := regexp.MustCompile(before + product).FindStringSubmatch(expressionOf(t, alert))
	if found == nil {
		t.Fatalf("%s has no number after %s", alert, before)
	}
	number := 1.
	for factor := range strings.SplitSeq(found[1], " * ") {
		f, err := strconv.ParseFloat(factor, 64)
		if err != nil {
			t.Fatal(err)
		}
		number *= f
	}
	return number
}

// expressionOf returns the expression of an alert.
func expressionOf(t *testing.T, alert string) string {
	t.Helper()
	files, err := filepath.Glob("../../dashboards/alerts/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	rule := regexp.MustCompile(`(?s)- alert: ` + alert + `\n\s+expr: \|\n(.+?)\n\s+(?:for|labels):`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if found := rule.FindSubmatch(text); found != nil {
			return string(found[1])
		}
	}
	t.Fatalf("there is no alert %s", alert)
	return ""
}
