package hmpsim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A Session is the payload of an answer 200, with all fields of the vendor's
// example but the authToken, which is that of the call. The zero value of a
// field that HMP may leave null is sent as null.
type Session struct {
	Admin            bool
	DisplayName      string
	Groups           []string
	ID               string    // "" is null
	LastAction       time.Time // zero is null
	LastLoginDate    time.Time // zero is null
	ProvisionType    string
	NumLoginFailures *int // nil is null
	Roles            []Role
	SessionID        string
	Username         string
	// ServiceMessages are sent as null where the slice is nil, and as an
	// empty array where it is empty.
	ServiceMessages []string

	// Override replaces the values of fields by JSON text that is sent as it
	// is, valid or not; an empty text leaves the field out. A field that the
	// example does not have is added.
	Override map[string]string
}

// A Role is one of a user's roles.
type Role struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Admin bool   `json:"admin"`
}

// ExampleSession is the session of the vendor's example (page "Get User Session
// Info using Bearer Token", HMP 4.1.1).
func ExampleSession() Session {
	return Session{
		Admin:         true,
		DisplayName:   "User0Groups TheUser",
		ID:            "d2be5490-f70e-4132-9570-d8a45d94204f",
		LastAction:    time.Date(2025, 3, 21, 19, 20, 1, 99e6, time.UTC),
		LastLoginDate: time.Date(2025, 3, 21, 17, 29, 7, 272e6, time.UTC),
		ProvisionType: "jit",
		Roles: []Role{{
			ID: "912cf463-409a-4df0-89ff-68016b213c77", Name: "Administrator", Admin: true,
		}},
		SessionID:       "2167935c-5633-4aad-a814-2279bc928944",
		Username:        "43ab703c-9a65-4c89-b005-daebc663590f",
		ServiceMessages: []string{"Password change required for built-in user account (operator)"},
	}
}

// Valid answers 200 with a session.
func Valid(s Session) Behaviour {
	return BehaviourFunc(func(w http.ResponseWriter, _ *http.Request, c Call) {
		w.Header().Set("Content-Type", jsonType)
		writePayload(w, s.fields(c.HandOut()))
	})
}

// fields returns the payload's fields in the order of the vendor's example.
func (s Session) fields(authToken string) []field {
	empty := field{json: "{}"} // maps that are keyed by object id
	fields := []field{
		{name: "admin", json: encode(s.Admin)},
		empty.named("assets"),
		{name: "authToken", json: encode(authToken)},
		{name: "displayName", json: encode(s.DisplayName)},
		{name: "groups", json: encode(append([]string{}, s.Groups...))},
		{name: "id", json: encode(orNull(s.ID, s.ID == ""))},
		{name: "lastAction", json: encode(orNull(timestamp(s.LastAction), s.LastAction.IsZero()))},
		{name: "lastLoginDate", json: encode(orNull(timestamp(s.LastLoginDate), s.LastLoginDate.IsZero()))},
		{name: "provisionType", json: encode(s.ProvisionType)},
		{name: "numLoginFailures", json: encode(s.NumLoginFailures)},
		{name: "preferredUsername", json: encode(s.Username)},
		{name: "roleIds", json: encode(s.roleIDs())},
		{name: "roles", json: encode(s.roles())},
		empty.named("sections"),
		{name: "sessionId", json: encode(s.SessionID)},
		empty.named("sessions"),
		empty.named("sharePermissions"),
		empty.named("sources"),
		{name: "username", json: encode(s.Username)},
		{name: "serviceMessages", json: encode(s.ServiceMessages)},
	}
	return override(fields, s.Override)
}

func (s Session) roleIDs() []string {
	ids := make([]string, 0, len(s.Roles))
	for _, r := range s.Roles {
		ids = append(ids, r.ID)
	}
	return ids
}

// sentRole is a role with the permission map that it has on the wire.
type sentRole struct {
	Role
	Permissions struct{} `json:"permissions"`
}

func (s Session) roles() []sentRole {
	roles := make([]sentRole, 0, len(s.Roles))
	for _, r := range s.Roles {
		roles = append(roles, sentRole{Role: r})
	}
	return roles
}

// override applies [Session.Override]; fields that are new come last, sorted.
func override(fields []field, texts map[string]string) []field {
	var added []field
	for name, text := range texts {
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
		if i < 0 {
			added = append(added, field{name: name, json: text})
			continue
		}
		fields[i].json = text
	}
	slices.SortFunc(added, func(a, b field) int { return strings.Compare(a.name, b.name) })
	return slices.DeleteFunc(append(fields, added...), func(f field) bool { return f.json == "" })
}

// timestamp is ISO 8601 with milliseconds, UTC, as HMP writes it.
func timestamp(t time.Time) string {
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

func orNull(text string, null bool) *string {
	if null {
		return nil
	}
	return &text
}

// encode is for values that cannot fail to be encoded: those of a Session.
func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("hmpsim: " + err.Error())
	}
	return string(b)
}
