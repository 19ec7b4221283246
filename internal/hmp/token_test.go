package hmp

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"hmp_exporter/internal/secret"
)

// Which authToken is handed out: by the GET, one that differs from the canary it
// sent; by the login, any that can be a Bearer.
func TestTokens(t *testing.T) {
	const another = "CANARY-received_~!.2"
	const none, unfit = "no authToken", "not fit for a header"
	longest := strings.Repeat("a", maxTokenSource)
	tests := []struct {
		name, data string
		rotated    bool
		token      string // that the GET hands out
		login      string // that the login hands out
		reason     string // a part of why it hands out none
	}{
		{name: "another", data: `"authToken":"` + another + `"`, rotated: true, token: another, login: another},
		{name: "the one sent", data: `"authToken":"` + canaryToken + `"`, login: canaryToken},
		{name: "the one sent, escaped", data: `"authToken":"\u0043ANARY-token-7f3a"`, login: canaryToken},
		{name: "escaped", data: `"authToken":"a\/b\u002bc"`, rotated: true, token: "a/b+c", login: "a/b+c"},
		{name: "as long as can be", data: `"authToken":"` + longest + `"`, rotated: true, token: longest, login: longest},
		{name: "twice", data: `"authToken":"first","authToken":"last"`, rotated: true, token: "last", login: "last"},
		{name: "the last unfit", data: `"authToken":"first","authToken":"un fit"`, rotated: true, reason: unfit},
		{name: "the last null", data: `"authToken":"first","authToken":null`, reason: none},
		{name: "the first unfit", data: `"authToken":"un fit","authToken":"last"`, rotated: true, token: "last", login: "last"},
		{name: "in the first of two sessions", data: `"authToken":"first"},"data":{`, reason: none},
		{name: "unfit in the first of two sessions", data: `"authToken":"un fit"},"data":{`, reason: none},
		{name: "in an object within", data: `"sections":{"authToken":"inner"}`, reason: none},
		{name: "beside the session", data: `},"authToken":"outer","x":{`, reason: none},
		{name: "with a space", data: `"authToken":"CANARY a"`, rotated: true, reason: unfit},
		{name: "a space behind", data: `"authToken":"CANARY "`, rotated: true, reason: unfit},
		{name: "with a newline", data: `"authToken":"CANARY\r\nX-Evil: 1"`, rotated: true, reason: unfit},
		{name: "with a NUL", data: `"authToken":"CANARY\u0000"`, rotated: true, reason: unfit},
		{name: "with a DEL", data: "\"authToken\":\"CANARY\x7f\"", rotated: true, reason: unfit},
		{name: "with a letter beyond ASCII", data: `"authToken":"CANARYü"`, rotated: true, reason: unfit},
		{name: "not UTF-8", data: "\"authToken\":\"CANARY\xff\"", rotated: true, reason: unfit},
		{name: "too long", data: `"authToken":"` + longest + `a"`, reason: unfit},
		{name: "absent", data: `"admin":true`, reason: none},
		{name: "empty", data: `"authToken":""`, reason: none},
		{name: "null", data: `"authToken":null`, reason: none},
		{name: "a number", data: `"authToken":20001`, reason: none},
		{name: "an array", data: `"authToken":["a"]`, reason: none},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewServer(answer(200, `{"data":{`+tt.data+`},"x":1}`))
			defer s.Close()
			a, token := exchange(t, s.URL, plenty, func(ctx context.Context, c *Client) (Answer, secret.Value) {
				return c.Session(ctx, Request{Token: secret.New(canaryToken)})
			})
			if a.Result != Valid || a.Rotated != tt.rotated || token != tt.token {
				t.Errorf("GET: got %+v and token %.40q, want valid, rotated %t and %.40q", a, token, tt.rotated, tt.token)
			}
			a, token = exchange(t, s.URL, plenty, login)
			if (a.Result == Valid) != (tt.login != "") || a.Rotated || token != tt.login {
				t.Errorf("POST: got %+v and token %.40q, want %.40q", a, token, tt.login)
			}
			if tt.reason != "" && (a.Result != BadPayload || a.Details.Admin != nil || !strings.Contains(a.Reason, tt.reason)) {
				t.Errorf("POST: got %+v, want a bad_payload with %q", a, tt.reason)
			}
		})
	}
}
