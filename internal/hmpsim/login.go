package hmpsim

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
)

// maxLoginBody is far above any key and secret.
const maxLoginBody = 64 << 10

// A login is what a POST carries.
type login struct {
	key, secret string
	refusal     Behaviour // not nil: the body is not a login
}

// parseLogin reads the body of a POST: {"apiKey":"…","apiSecret":"…"}.
func parseLogin(r *http.Request) login {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxLoginBody+1))
	switch {
	case err != nil:
		return login{refusal: InvalidInput("request body could not be read")}
	case len(body) > maxLoginBody:
		// A client that is still writing when the connection is closed may not
		// get to see the answer.
		_, _ = io.CopyN(io.Discard, r.Body, maxLoginBody)
		return login{refusal: InvalidInput("request body is too large")}
	}
	// A body that is not said to be JSON is not looked at, so that a client
	// that forgets the header fails here and not only at a customer's.
	var fields map[string]any
	if mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); mediaType == "application/json" {
		if err := json.Unmarshal(body, &fields); err != nil {
			return login{refusal: InvalidInput("request body is not a JSON object")}
		}
	}
	var l login
	if l.key, l.refusal = stringField(fields, "apiKey"); l.refusal != nil {
		return l
	}
	l.secret, l.refusal = stringField(fields, "apiSecret")
	return l
}

// stringField returns a field, or the refusal of one that is missing or of
// another type.
func stringField(fields map[string]any, name string) (string, Behaviour) {
	v, ok := fields[name]
	if !ok {
		return "", InvalidInput(name + " is required")
	}
	text, ok := v.(string)
	if !ok {
		return "", InvalidInput(name + " must be a string")
	}
	return text, nil
}
