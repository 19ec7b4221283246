package hmp

import (
	"slices"
	"strings"
)

// A Code is an HMP error code: six digits in a string, because the leading
// zeros count. Anything that reads it as a number (YAML: 020001 is 8193) is wrong.
type Code string

// OtherCode stands for every code that the catalogue does not list.
const OtherCode Code = "other"

// The codes that the session endpoint is documented to answer with.
const (
	InputValidation     Code = "010001"
	UserNotAuthorized   Code = "020001"
	InvalidCredentials  Code = "020002"
	AuthSessionNotFound Code = "040022"
	InternalServer      Code = "070000"
	CreateUserSession   Code = "070051"
	ServiceUnavailable  Code = "090002"
)

// An ErrorInfo is one entry of the error catalogue.
type ErrorInfo struct {
	Code    Code
	Name    string // the vendor's
	Family  int    // the HTTP status that codes with these first two digits belong to
	Meaning string
	Advice  string // what an operator does
}

// Catalogue lists the documented errors of the session endpoint, from the vendor
// pages "Get User Session Info using Bearer Token" and "Initiate User Session
// using Key and Secret" and, for 040022, from that of the cookie login beside
// them. The last entry stands for all other codes.
var Catalogue = []ErrorInfo{
	{UserNotAuthorized, "UserNotAuthorized", 401, "the user has no role, or the token is not accepted: the result tells which", "Assign a role to the user, or supply a new token."},
	{InternalServer, "InternalServer", 500, "an internal error in HMP", "Look into calypso.log on the HMP and contact Haivision support."},
	{ServiceUnavailable, "ServiceUnavailable", 503, "HMP cannot reach its authentication server", "Check HMP's connection to its directory. The token may be fine: do not replace it."},
	{InputValidation, "InputValidation", 400, "the login lacks an API key or secret, or one has the wrong form", "Check the key and the secret for missing or foreign characters."},
	{InvalidCredentials, "InvalidCredentials", 401, "the API key or its secret is wrong", "Compare both with what HMP gave out, and see whether the key is disabled; a new key ends the old one for all who use it."},
	{AuthSessionNotFound, "AuthSessionNotFound", 404, "HMP does not know the session, or it has expired", "Supply a new token."},
	{CreateUserSession, "CreateUserSession", 500, "HMP could not create a session for the user", "Look into calypso.log on the HMP and contact Haivision support."},
	{OtherCode, "Other", 0, "a code that this catalogue does not list", "Look the code up in Haivision's documentation; the log has it."},
}

// code returns what an envelope said as a code: itself if it has the form of one,
// so that it is safe to show; [OtherCode] for any other text; "" for none.
func code(said string) Code {
	notDigit := func(r rune) bool { return r < '0' || r > '9' }
	if said == "" || len(said) == 6 && !strings.ContainsFunc(said, notDigit) {
		return Code(said)
	}
	return OtherCode
}

// Catalogued returns c if the catalogue lists it, "" for "", else [OtherCode].
func (c Code) Catalogued() Code {
	if c == "" || slices.ContainsFunc(Catalogue, func(e ErrorInfo) bool { return e.Code == c }) {
		return c
	}
	return OtherCode
}

// Info returns the entry of the catalogue for c: that of [OtherCode] for a code that it
// does not list, and a zero one for "".
func (c Code) Info() ErrorInfo {
	for _, e := range Catalogue {
		if e.Code == c.Catalogued() {
			return e
		}
	}
	return ErrorInfo{}
}

// Text is c for people: with the vendor's name, if it is a documented one.
func (c Code) Text() string {
	switch info := c.Info(); {
	case c == OtherCode:
		return "a code unlike HMP's"
	case info.Code == c && c != "":
		return string(c) + " " + info.Name
	default:
		return string(c)
	}
}
