package hmpsim

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"time"
)

// A Session is the payload of an answer 200. Its fields are those of the vendor's example,
// in the same order.
type Session struct {
	Admin             bool       `json:"admin"`
	Assets            struct{}   `json:"assets"`
	AuthToken         string     `json:"authToken"` // set for each answer
	DisplayName       string     `json:"displayName"`
	Groups            []string   `json:"groups"`
	ID                string     `json:"id"`
	LastAction        *time.Time `json:"lastAction"`
	LastLoginDate     *time.Time `json:"lastLoginDate"`
	ProvisionType     string     `json:"provisionType"`
	NumLoginFailures  *int       `json:"numLoginFailures"`
	PreferredUsername string     `json:"preferredUsername"` // set to Username
	RoleIDs           []string   `json:"roleIds"`           // set from Roles
	Roles             []Role     `json:"roles"`
	Sections          struct{}   `json:"sections"`
	SessionID         string     `json:"sessionId"`
	Sessions          struct{}   `json:"sessions"`
	SharePermissions  struct{}   `json:"sharePermissions"`
	Sources           struct{}   `json:"sources"`
	Username          string     `json:"username"`
	ServiceMessages   []string   `json:"serviceMessages"`
}

// A Role is one of a user's roles.
type Role struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Admin       bool     `json:"admin"`
	Permissions struct{} `json:"permissions"`
}

// ExampleSession is the session of the vendor's example (page "Get User Session Info using
// Bearer Token", HMP 4.1.1).
func ExampleSession() Session {
	return Session{
		Admin:         true,
		DisplayName:   "User0Groups TheUser",
		Groups:        []string{},
		ID:            "d2be5490-f70e-4132-9570-d8a45d94204f",
		LastAction:    new(time.Date(2025, 3, 21, 19, 20, 1, 99e6, time.UTC)),
		LastLoginDate: new(time.Date(2025, 3, 21, 17, 29, 7, 272e6, time.UTC)),
		ProvisionType: "jit",
		Roles: []Role{{
			ID: "912cf463-409a-4df0-89ff-68016b213c77", Name: "Administrator", Admin: true,
		}},
		SessionID:       "2167935c-5633-4aad-a814-2279bc928944",
		Username:        "43ab703c-9a65-4c89-b005-daebc663590f",
		ServiceMessages: []string{"Password change required for built-in user account (operator)"},
	}
}

// payload returns the body of the answer to a call.
func (s Session) payload(c Call) []byte {
	s.AuthToken, s.PreferredUsername = c.authToken(), s.Username
	for _, role := range s.Roles {
		s.RoleIDs = append(s.RoleIDs, role.ID)
	}
	return []byte(`{"data":` + encode(s) + `}`)
}

// Valid answers 200 with a session.
func Valid(s Session) Behaviour {
	return func(w http.ResponseWriter, _ *http.Request, c Call) {
		w.Header().Set("Content-Type", jsonType)
		_, _ = w.Write(s.payload(c))
	}
}

// Large answers 200 with a session of about size bytes, as that of an admin of a system with
// many objects: a map of permissions by object. It makes the map while it sends it, so a
// gigabyte takes no more memory than a kilobyte.
func Large(s Session, size int64) Behaviour {
	return func(w http.ResponseWriter, _ *http.Request, c Call) {
		w.Header().Set("Content-Type", jsonType)
		before, after, _ := bytes.Cut(s.payload(c), []byte(`"assets":{`))
		buf := bufio.NewWriterSize(w, 32<<10)
		_, _ = buf.Write(before)
		entry := []byte(`"assets":{`)
		for n := range size / 93 { // the length of an entry
			entry = append(entry, `"d2be5490-f70e-4132-9570-`...)
			entry = hex.AppendEncode(entry, binary.BigEndian.AppendUint64(nil, uint64(n))[2:])
			entry = append(entry, `":{"view":true,"edit":true,"delete":false,"share":true}`...)
			if _, err := buf.Write(entry); err != nil {
				return // the client has gone
			}
			entry = append(entry[:0], ',')
		}
		_, _ = buf.Write(after)
		_ = buf.Flush()
	}
}
