// Package canary is how tests find secrets where none may be. Every secret in a
// test has [Word] in it, and so has every text that tells who somebody is. All
// that the product puts out is searched for the word:
//
//   - what a package's tests print, logs and panics included, by [Watch];
//   - a log, by [Log];
//   - pages and metrics that are fetched, by [Transport];
//   - any other text or value, by [Check] and [CheckValue].
package canary

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// Word is a part of every secret. No text but a secret has it.
const Word = "CANARY"

// forms are what becomes of Word in the hands of encoders that a secret may meet:
// Basic authentication, a dump of bytes, a verb of fmt.
var forms = func() []string {
	list := []string{
		Word,
		hex.EncodeToString([]byte(Word)),
		strings.ToUpper(hex.EncodeToString([]byte(Word))),
		fmt.Sprintf("% x", Word),
		strings.Trim(fmt.Sprint([]byte(Word)), "[]"),
		strings.Trim(strings.ReplaceAll(fmt.Sprint([]byte(Word)), " ", ","), "[]"),
	}
	for before := range 3 {
		// Base64 looks different at each of three places. The characters that the
		// neighbours of the word have a say in are left out.
		text := base64.RawStdEncoding.EncodeToString([]byte("xxx"[:before] + Word + "xxx"))
		first := []int{0, 2, 3}[before]
		list = append(list, text[first:(before+len(Word))*8/6])
	}
	return list
}()

// Find returns where a secret is told: a few characters before it and the secret's
// beginning. It returns "" where none is.
func Find(text string) string {
	for _, form := range forms {
		if at := strings.Index(text, form); at >= 0 {
			return text[max(0, at-60) : at+len(form)]
		}
	}
	return ""
}

// Check fails the test if a text tells a secret.
func Check(t testing.TB, what, text string) {
	t.Helper()
	if found := Find(text); found != "" {
		t.Errorf("%s tells a secret: …%s", what, found)
	}
}

// CheckValue prints a value in all the ways that fmt has, and checks each.
func CheckValue(t testing.TB, what string, value any) {
	t.Helper()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		Check(t, what+" as "+verb, fmt.Sprintf(verb, value))
	}
}
