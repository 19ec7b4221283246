package hmpsim

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"strings"
)

const (
	jsonType = "application/json; charset=utf-8"
	htmlType = "text/html; charset=utf-8"
)

// Raw answers with a status, a content type and a body.
func Raw(status int, contentType, body string) Behaviour {
	return func(w http.ResponseWriter, _ *http.Request, _ Call) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// Error answers with an error as HMP sends it. The code has six digits, leading zeros
// included.
func Error(status int, code, name, message string) Behaviour {
	return Raw(status, jsonType, encode(struct {
		Code           string `json:"code"`
		Name           string `json:"name"`
		Message        string `json:"message"`
		HTTPStatusCode int    `json:"httpStatusCode"`
	}{code, name, message, status}))
}

// encode returns a value as JSON. It is for values that always encode.
func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("hmpsim: " + err.Error())
	}
	return string(b)
}

// NoRoles is the documented answer for a user without a role.
func NoRoles() Behaviour {
	return Error(http.StatusUnauthorized, "020001", "UserNotAuthorized", "User has no roles assigned")
}

// Unauthorized is the likely answer to a token that has ended. It has the code of [NoRoles]
// with another message, like HMP's call with a cookie.
func Unauthorized() Behaviour {
	return Error(http.StatusUnauthorized, "020001", "UserNotAuthorized", "User is not authorized")
}

// UnknownSession is another likely answer to a token that has ended.
func UnknownSession() Behaviour {
	return Error(http.StatusNotFound, "040022", "AuthSessionNotFound", "Unknown session")
}

// InternalError is an internal error. The vendor does not document the message.
func InternalError(message string) Behaviour {
	return Error(http.StatusInternalServerError, "070000", "InternalServer", message)
}

// AuthUnavailable says that the HMP cannot reach its directory.
func AuthUnavailable() Behaviour {
	return Error(http.StatusServiceUnavailable, "090002", "ServiceUnavailable", "No connection to authentication server")
}

// Forbidden is what some HMPs answer to a token that they have ended.
func Forbidden() Behaviour {
	return Error(http.StatusForbidden, "030001", "Forbidden", "Access denied")
}

// InvalidCredentials refuses a login with a wrong key or secret.
func InvalidCredentials() Behaviour {
	return Error(http.StatusUnauthorized, "020002", "InvalidCredentials", "Invalid credentials")
}

// invalidInput refuses a login whose body has no key or no secret.
func invalidInput() Behaviour {
	return Error(http.StatusBadRequest, "010001", "InputValidation", "apiKey and apiSecret are required")
}

// EndpointMissing is the 404 of a web server that does not have the path, such as an HMP before
// 4.1. It is a web page, not JSON.
func EndpointMissing() Behaviour {
	return func(w http.ResponseWriter, r *http.Request, c Call) {
		text := html.EscapeString("Cannot " + r.Method + " " + r.URL.Path)
		page(http.StatusNotFound, "Error", "<pre>"+text+"</pre>")(w, r, c)
	}
}

// BadGateway is the answer of a reverse proxy that cannot reach the HMP.
func BadGateway() Behaviour {
	return page(http.StatusBadGateway, "502 Bad Gateway", "<h1>502 Bad Gateway</h1>")
}

// LoginPage answers 200 with a page, as a portal does.
func LoginPage() Behaviour { return page(http.StatusOK, "Sign in", "<h1>Sign in</h1>") }

func page(status int, title, body string) Behaviour {
	return Raw(status, htmlType, fmt.Sprintf("<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>%s</title></head>\n"+
		"<body>%s</body>\n</html>\n", title, body))
}

// Redirect answers with a status of the 300s and a location.
func Redirect(status int, location string) Behaviour {
	return func(w http.ResponseWriter, r *http.Request, _ Call) { http.Redirect(w, r, location, status) }
}

// Version answers the version call as documented.
func Version(version, build string) Behaviour {
	return ok(`{"data":{"version":` + encode(version) + `,"build":` + encode(build) + `}}`)
}

func ok(body string) Behaviour { return Raw(http.StatusOK, jsonType, body) }

// BadVersions returns wrong answers to the version call, by a name for tests.
func BadVersions() map[string]Behaviour {
	return map[string]Behaviour{
		"missing":         EndpointMissing(),
		"unauthorized":    Unauthorized(),
		"forbidden":       Forbidden(),
		"redirect":        Redirect(http.StatusFound, "/version"),
		"page":            LoginPage(),
		"reset":           Reset(),
		"empty":           ok(""),
		"numbers":         ok(`{"data":{"version":4.1,"build":30242}}`),
		"number as build": ok(`{"data":{"version":"4.1.1","build":30242}}`),
		"no build":        ok(`{"data":{"version":"4.1.1"}}`),
		"null":            ok(`{"data":{"version":null,"build":null}}`),
		"empty texts":     ok(`{"data":{"version":"","build":" \u0000"}}`),
		"no data":         ok(`{"version":"4.1.1","build":"30242"}`),
		"cut off":         ok(`{"data":{"version":"4.1.1","build":"30242"`),
		"5 kB":            Version(strings.Repeat("4", 5<<10), "30242"),
	}
}
