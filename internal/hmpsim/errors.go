package hmpsim

import (
	"encoding/json"
	"net/http"
)

// An Envelope is an error as HMP sends it, and the [Behaviour] that sends it.
type Envelope struct {
	// Code is a string of six digits, leading zeros included.
	Code    string `json:"code"`
	Name    string `json:"name"`
	Message string `json:"message"`
	// HTTPStatusCode is also the status of the answer.
	HTTPStatusCode int `json:"httpStatusCode"`
}

// Serve sends the envelope.
func (e Envelope) Serve(w http.ResponseWriter, _ *http.Request, _ Call) {
	w.Header().Set("Content-Type", jsonType)
	w.WriteHeader(e.HTTPStatusCode)
	_ = json.NewEncoder(w).Encode(e) // a client that has gone is no error here
}

// NoRoles answers 401 020001 as documented for a user that has no role.
func NoRoles() Behaviour {
	return Envelope{Code: "020001", Name: "UserNotAuthorized", Message: "User has no roles assigned", HTTPStatusCode: http.StatusUnauthorized}
}

// Unauthorized answers 401 020001 as the cookie sibling of the endpoint does
// without a session: the code of [NoRoles] with another meaning. It is the
// likely answer to a dead token.
func Unauthorized() Behaviour {
	return Envelope{Code: "020001", Name: "UserNotAuthorized", Message: "User is not authorized", HTTPStatusCode: http.StatusUnauthorized}
}

// UnknownSession answers 404 040022, the other likely answer to a dead token.
func UnknownSession() Behaviour {
	return Envelope{Code: "040022", Name: "AuthSessionNotFound", Message: "Unknown session", HTTPStatusCode: http.StatusNotFound}
}

// InternalError answers 500 070000 with a message, which the vendor leaves open.
func InternalError(message string) Behaviour {
	return Envelope{Code: "070000", Name: "InternalServer", Message: message, HTTPStatusCode: http.StatusInternalServerError}
}

// CreateUserSession answers 500 070051, an internal error of a login.
func CreateUserSession() Behaviour {
	return Envelope{Code: "070051", Name: "CreateUserSession", Message: "Could not create user session", HTTPStatusCode: http.StatusInternalServerError}
}

// AuthUnavailable answers 503 090002: the HMP cannot reach its directory.
func AuthUnavailable() Behaviour {
	return Envelope{Code: "090002", Name: "ServiceUnavailable", Message: "No connection to authentication server", HTTPStatusCode: http.StatusServiceUnavailable}
}

// Forbidden answers 403 030001, as some HMPs do to a token that they have ended.
func Forbidden() Behaviour {
	return Envelope{Code: "030001", Name: "Forbidden", Message: "Access denied", HTTPStatusCode: http.StatusForbidden}
}

// InvalidCredentials answers 401 020002, a login with a wrong key or secret.
func InvalidCredentials() Behaviour {
	return Envelope{Code: "020002", Name: "InvalidCredentials", Message: "Invalid credentials", HTTPStatusCode: http.StatusUnauthorized}
}

// InvalidInput answers 400 010001 with a message, a login whose body lacks the
// key or the secret or has one of another type.
func InvalidInput(message string) Behaviour {
	return Envelope{Code: "010001", Name: "InputValidation", Message: message, HTTPStatusCode: http.StatusBadRequest}
}
