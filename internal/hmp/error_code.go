package hmp

import (
	"slices"
	"strings"
)

// A Code is an HMP error code: six digits in a string. It is not a number, because the
// leading zeros count (and YAML reads 020001 as 8193).
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
	Family  int    // the HTTP status of all codes with the same first two digits
	Meaning string
	Advice  string // what an operator does
}

// Catalogue lists the documented errors of the session endpoint. They come from the vendor
// pages "Get User Session Info using Bearer Token" and "Initiate User Session using Key and
// Secret". 040022 comes from the page about the cookie login. The last entry stands for all
// other codes.
var Catalogue = []ErrorInfo{
	{UserNotAuthorized, "UserNotAuthorized", 401, "the user has no role, or the token is not accepted: the result shows which", "Assign a role to the user, or replace the token."},
	{InternalServer, "InternalServer", 500, "HMP has an internal error", "Read calypso.log on the HMP, and contact Haivision support."},
	{ServiceUnavailable, "ServiceUnavailable", 503, "HMP cannot reach its authentication server", "Check the connection of the HMP to its authentication server, such as LDAP. The token may be good: do not replace it."},
	{InputValidation, "InputValidation", 400, "the login lacks an API key or secret, or one has the wrong form", "Check the key and the secret for missing or wrong characters."},
	{InvalidCredentials, "InvalidCredentials", 401, "the API key or its secret is wrong", "Compare them with the key and secret in HMP, and check that the key is enabled there. A new key ends the old one for all who use it."},
	{AuthSessionNotFound, "AuthSessionNotFound", 404, "the HMP session is unknown or has expired", "Replace the token."},
	{CreateUserSession, "CreateUserSession", 500, "HMP could not create a session for the user", "Read calypso.log on the HMP, and contact Haivision support."},
	{OtherCode, "Other", 0, "a code that this catalogue does not list", "Look up the code in Haivision's documentation. The log and the session's page show it."},
}

// parseCode returns the code in an envelope: the text itself if it has six digits, [OtherCode]
// for any other text, and "" for none. So the code is safe to show.
func parseCode(text string) Code {
	notDigit := func(r rune) bool { return r < '0' || r > '9' }
	if text == "" || len(text) == 6 && !strings.ContainsFunc(text, notDigit) {
		return Code(text)
	}
	return OtherCode
}

// Catalogued returns c if the catalogue lists it or c is "", else [OtherCode].
func (c Code) Catalogued() Code {
	if c == "" || slices.ContainsFunc(Catalogue, func(e ErrorInfo) bool { return e.Code == c }) {
		return c
	}
	return OtherCode
}

// Info returns the entry of the catalogue for c. For a code that it does not list, that is
// the entry of [OtherCode]. For "" it is zero.
func (c Code) Info() ErrorInfo {
	for _, e := range Catalogue {
		if e.Code == c.Catalogued() {
			return e
		}
	}
	return ErrorInfo{}
}

// Text returns c for people: with the vendor's name, if the code is documented.
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
