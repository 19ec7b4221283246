package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// An expectation is what an answer has to contain. {session} stands for the name of the
// session that was asked for.
type expectation struct {
	Samples map[string]float64 // by what stands before the value
	Lines   map[string]int     // how many lines begin so
	// Sessions is how many there have to be, every one of them valid. 0: is not looked at.
	Sessions int
	// Bytes is the least size.
	Bytes int64
}

// An answer is a response that has been read to its end.
type answer struct {
	status  string
	ok      bool
	gzipped bool
	size    int64
	body    bytes.Buffer // empty if only its size matters
}

var (
	answers = sync.Pool{New: func() any { return new(answer) }}
	unzips  = sync.Pool{New: func() any { return new(gzip.Reader) }}
)

// readAnswer reads a response; it keeps only the size of a bare one.
func readAnswer(resp *http.Response, bare bool) (*answer, error) {
	a := answers.Get().(*answer)
	a.body.Reset()
	a.status, a.ok = resp.Status, resp.StatusCode == http.StatusOK
	a.gzipped = resp.Header.Get("Content-Encoding") == "gzip"
	var err error
	if bare && a.ok {
		a.size, err = io.Copy(io.Discard, resp.Body)
	} else {
		a.size, err = a.body.ReadFrom(resp.Body)
	}
	return a, err
}

// text returns the body as it was before it was compressed.
func (a *answer) text() ([]byte, error) {
	if !a.gzipped {
		return a.body.Bytes(), nil
	}
	unzip := unzips.Get().(*gzip.Reader)
	defer unzips.Put(unzip)
	if err := unzip.Reset(&a.body); err != nil {
		return nil, err
	}
	return io.ReadAll(unzip)
}

// check returns what is wrong with an answer.
func (want expectation) check(a *answer, session string) error {
	text, err := a.text()
	switch {
	case err != nil:
		return fmt.Errorf("failed to decompress the answer: %w", err)
	case !a.ok:
		return fmt.Errorf("the answer is %s: %.300s", a.status, text)
	case a.size < want.Bytes:
		return fmt.Errorf("the answer has %d bytes, want %d", a.size, want.Bytes)
	}
	for name, value := range want.Samples {
		name = strings.ReplaceAll(name, "{session}", session)
		got, err := sampleOf(text, name)
		if err == nil && got != value {
			err = fmt.Errorf("it is %v, want %v", got, value)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for prefix, n := range want.Lines {
		if got := bytes.Count(text, []byte("\n"+prefix)); got != n {
			return fmt.Errorf("%d lines begin with %s, want %d", got, prefix, n)
		}
	}
	if want.Sessions > 0 {
		return checkSessions(text, want.Sessions)
	}
	return nil
}

// sampleOf returns the value of a sample.
func sampleOf(text []byte, name string) (float64, error) {
	_, rest, ok := bytes.Cut(text, []byte("\n"+name+" "))
	if !ok {
		return 0, errors.New("it is not there")
	}
	value, _, _ := bytes.Cut(rest, []byte("\n"))
	return strconv.ParseFloat(string(value), 64)
}

// checkSessions tells whether there are n sessions, from the first one on, each valid.
func checkSessions(text []byte, n int) error {
	valid := make(map[string]bool, n)
	for line := range bytes.Lines(text) {
		labels, ok := bytes.CutPrefix(line, []byte(`hmp_session_valid{session="`))
		if !ok {
			continue
		}
		session, rest, _ := bytes.Cut(labels, []byte(`"`))
		_, value, _ := bytes.Cut(rest, []byte("} "))
		if v, err := strconv.ParseFloat(string(bytes.TrimSpace(value)), 64); err != nil || v != 1 {
			return fmt.Errorf("session %s is not valid: %s", session, line)
		}
		valid[string(session)] = true
	}
	for i := range n {
		if !valid[sessionName(i)] {
			return fmt.Errorf("session %s is missing", sessionName(i))
		}
	}
	if len(valid) != n {
		return fmt.Errorf("there are %d sessions, want %d", len(valid), n)
	}
	return nil
}
