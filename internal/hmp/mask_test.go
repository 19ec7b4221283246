package hmp

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/secret"
)

// A text shows no part of a secret, whatever its encoding.
func TestMask(t *testing.T) {
	const token = "Tok3n/with+odd&\"chars\"<0123456789>"
	quoted, err := json.Marshal(token)
	if err != nil {
		t.Fatal(err)
	}
	encode := func(prefix string) string { return base64.StdEncoding.EncodeToString([]byte(prefix + token + " end")) }
	secrets := []string{token, "abc", "Basic " + base64.StdEncoding.EncodeToString([]byte("user:pass-word-77")), "Key first-part second-part"}
	for name, tt := range map[string]struct{ text, want string }{
		"as it is":               {"a " + token + " b", "a <secret> b"},
		"twice":                  {token + token + " " + token, "<secret> <secret>"},
		"in other case":          {strings.ToUpper(token) + strings.ToLower(token), "<secret>"},
		"the beginning":          {"a " + token[:9] + "…", "a <secret>"},
		"the end":                {"…" + token[10:] + " b", "<secret> b"},
		"within a word":          {"a x=" + token + ";y b", "a <secret> b"},
		"percent-encoded":        {"?t=" + url.QueryEscape(token) + "&x", "<secret>"},
		"percent-encoded wholly": {"%54%6f%6b%33%6e%2F%77%69th%2Bodd", "<secret>"},
		"percent-encoded twice":  {url.QueryEscape(url.QueryEscape(token)), "<secret>"},
		"in JSON":                {"a " + string(quoted), "a <secret>"},
		"in JSON, all escapes":   {`\u0054\u006f\u006b\u0033\u006e\/with`, "<secret>"},
		"in HTML":                {"<b>" + html.EscapeString(token) + "</b>", "<secret>"},
		"base64":                 {"scheme " + encode(""), "scheme <secret>"},
		"base64, second place":   {encode("a"), "<secret>"},
		"base64, third place":    {encode("ab"), "<secret>"},
		"base64 for URLs":        {base64.RawURLEncoding.EncodeToString([]byte("?>" + token)), "<secret>"},
		"hexadecimal":            {"id " + hex.EncodeToString([]byte(token)), "id <secret>"},
		"base64 in a URL":        {"?" + url.QueryEscape(encode("u:")), "<secret>"},
		"a short one":            {"abc, (ABC) and YWJj. or x=abc", "<secret> <secret> and <secret> or <secret>"},
		"a short one in words":   {"abcd and cabc and abc1", "abcd and cabc and abc1"},
		"a password":             {"user has pass-word-77", "user has <secret>"},
		"a word of a value":      {"it is second-part", "it is <secret>"},
		"nothing":                {"User has no roles assigned: 100%, a\\b & more; aGVsbG8gd29ybGQgaGVsbG8=", "User has no roles assigned: 100%, a\\b & more; aGVsbG8gd29ybGQgaGVsbG8="},
		"empty":                  {"", ""},
	} {
		if got := newMask(secrets...).apply(tt.text, true); got != tt.want {
			t.Errorf("%s: %s: got %q, want %q", name, tt.text, got, tt.want)
		}
	}
	// Wherever a text is cut, nothing of a secret stays at its end.
	for _, form := range []string{token, url.QueryEscape(token), encode("")} {
		for end := range len(form) + 1 {
			if got := newMask(secrets...).apply("word word "+form[:end], false); got != "word word …" {
				t.Errorf("cut behind %q: %q", form[:end], got)
			}
		}
	}
}

// The work of a mask is bounded. Beyond the limit, it hides all words.
func TestMaskIsBounded(t *testing.T) {
	m := newMask(strings.Repeat("secret-0", 1<<15))
	m.apply(strings.Repeat("a%", maxMasked), true)
	if got := m.apply("a harmless text", true); got != "<secret> <secret> <secret>" {
		t.Errorf("got %q", got)
	}
}

// A mask hides a secret whatever is around it.
func FuzzMask(f *testing.F) {
	for _, text := range []string{"", "%", "&", "&amp;", `\u00`, `\`, "%41", "aGVsbG8gd29ybGQ", "&#x", "ü\xff", "&lt", "%%%41414141"} {
		f.Add(text, text)
	}
	const word = "0ne-secret"
	f.Fuzz(func(t *testing.T, before, after string) {
		m := newMask(word, "xyz")
		got := m.apply(before+word+after, true)
		if strings.Contains(strings.ReplaceAll(got, secret.Masked, "|"), word) {
			t.Errorf("%q shows the secret", got)
		}
		_ = m.apply(before+after, false)
		checkText(t, got, MaxTextLength)
	})
}

// The service messages of a session show no secret, wherever the secret is in the body.
func TestMessagesDoNotRepeatSecrets(t *testing.T) {
	const sent, handedOut, id = canaryToken, canary.Word + "-handed-out", canary.Word + "-session-id"
	long := canary.Word + strings.Repeat("-0123456789", 900) // longer than what is read of a token
	for name, body := range map[string]string{
		"sent":           `{"serviceMessages":["Session ` + sent + ` ends soon"]}`,
		"the key":        `{"serviceMessages":["Session ` + canaryKey + ` ends soon"]}`,
		"the secret":     `{"serviceMessages":["Session ` + strings.ToLower(canarySecret) + ` ends soon"]}`,
		"a header":       `{"serviceMessages":["Session ` + canary.Word + `-header ends soon"]}`,
		"handed out":     `{"serviceMessages":["Session ` + handedOut + ` ends soon"],"authToken":"` + handedOut + `"}`,
		"an unfit token": `{"authToken":"` + handedOut + `ü","serviceMessages":["Session ` + handedOut + ` ends soon"]}`,
		"one of two":     `{"authToken":"` + handedOut + `","serviceMessages":["Session ` + handedOut + ` ends soon"],"authToken":"b"}`,
		"the id":         `{"sessionId":"` + id + `","serviceMessages":["Session ` + id + ` ends soon"]}`,
		"a long token":   `{"serviceMessages":["Session ` + long[:2000] + ` ends soon"],"authToken":"` + long + `"}`,
		"a long id":      `{"serviceMessages":["Session ` + long[:2000] + ` ends soon"],"sessionId":"` + long + `"}`,
		"many of one":    `{"serviceMessages":["Session ` + strings.Repeat(handedOut, 100) + ` ends soon"],"authToken":"` + handedOut + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, answer(200, `{"data":`+body+`}`))
			a := exchange(t, s.URL, plenty, func(ctx context.Context, c *Client) (Answer, secret.Value) {
				return c.GetSession(ctx, SessionRequest{
					Token: secret.New(sent), Secrets: []secret.Value{secret.New(canaryKey), secret.New(canarySecret)},
					Header: http.Header{"X-Gateway": {canary.Word + "-header"}},
				})
			}, func(o *Options) { o.MessageTexts = true })
			texts := strings.Join(a.Details.MessageTexts, "\n")
			if want := "Session <secret> ends soon"; texts != want && !(name == "many of one" && texts == "Session <secret>") {
				t.Errorf("got %q, want %q", texts, want)
			}
			if strings.Contains(strings.ToLower(fmt.Sprintf("%+v", a)), strings.ToLower(canary.Word)) {
				t.Errorf("the answer has a secret: %+v", a)
			}
		})
	}
}

// A code of six digits can be a secret too.
func TestSecretCodeIsNotShown(t *testing.T) {
	a := exchange(t, serve(t, envelope(400, "123456", "x")).URL, plenty, func(ctx context.Context, c *Client) (Answer, secret.Value) {
		return c.GetSession(ctx, SessionRequest{Token: secret.New("123456")})
	})
	if a.Code != OtherCode || a.Reason != "" {
		t.Errorf("got code %s and reason %q", a.Code, a.Reason)
	}
}

// If a text is cut within a secret, no part of the secret stays.
func TestMessagesAreCutAfterMasking(t *testing.T) {
	filler := strings.Repeat("a", MaxTextLength-10)
	messages := `"serviceMessages":["` + filler + ` ` + canary.Word + `-handed-out"]`
	token := `"authToken":"` + canary.Word + `-handed-out"`
	for name, fields := range map[string]string{"before": token + "," + messages, "behind": messages + "," + token} {
		p, err := decode(strings.NewReader(`{"data":{`+fields+`}}`), 1<<20, canaryToken, true)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := strings.Join(p.details.MessageTexts, "\n"), filler+" <secret>"; got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	// The source of a text is cut too. Masked secrets before that place make the text shorter.
	text := strings.Repeat(canaryToken+" ", 200)
	p, err := decode(strings.NewReader(`{"data":{"serviceMessages":["`+text[:maxMessageSource+3]+`"]}}`), 1<<20, canaryToken, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range p.details.MessageTexts {
		if rest := strings.Trim(strings.ReplaceAll(shown, secret.Masked, ""), " <secrt>"); rest != "" {
			t.Errorf("a part of the token stays: %q", rest)
		}
	}
}

// A long reason ends with a whole word and an ellipsis.
func TestLongReasonEndsWithAWord(t *testing.T) {
	long := strings.Repeat("certificate ", 40)
	got := new(mask).sentence(long)
	words := strings.TrimSuffix(got, " …")
	if words == got || !strings.HasSuffix(words, " certificate") || len([]rune(got)) > MaxTextLength {
		t.Errorf("got %q", got)
	}
	if got := new(mask).sentence("connection refused"); got != "connection refused" {
		t.Errorf("got %q", got)
	}
}
