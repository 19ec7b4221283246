package hmpsim

import (
	"net/http"
	"strings"
	"time"
)

// VersionEndpoint is the path of the version call below an HMP's base URL.
const VersionEndpoint = "/apis/system/version"

// WithVersion sets the answer to the version call with a token that works: version 4.1.1,
// build 30242 without this option.
func WithVersion(b Behaviour) Option {
	return func(s *Server) { s.version.behaviour = b }
}

// SetVersion changes the answer to the version call.
func (s *Server) SetVersion(b Behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version = script{behaviour: b, start: s.now()}
}

// Version answers the version call as documented (page "Get the HMP Software Build
// Version", HMP 4.1).
func Version(version, build string) Behaviour {
	return versionBody(`{"data":{"version":` + encode(version) + `,"build":` + encode(build) + `}}`)
}

// VersionWithMore is [Version] with other fields beside the two.
func VersionWithMore(version, build string) Behaviour {
	return versionBody(`{"status":"ok","data":{"Version":"0","product":{"version":"1"},"version":` + encode(version) +
		`,"BUILD":null,"build":` + encode(build) + `,"edition":[]}}`)
}

// BadVersions returns a behaviour for each way in which the version call can fail, by a
// name for tests. A hang is not among them.
func BadVersions() map[string]Behaviour {
	return map[string]Behaviour{
		"missing":         EndpointMissing(),
		"unauthorized":    Unauthorized(),
		"forbidden":       Forbidden(),
		"redirect":        Redirect(http.StatusFound, "/version"),
		"page":            LoginPage(),
		"reset":           Reset(),
		"empty":           versionBody(""),
		"numbers":         versionBody(`{"data":{"version":4.1,"build":30242}}`),
		"number as build": versionBody(`{"data":{"version":"4.1.1","build":30242}}`),
		"no build":        versionBody(`{"data":{"version":"4.1.1"}}`),
		"null":            versionBody(`{"data":{"version":null,"build":null}}`),
		"empty texts":     versionBody(`{"data":{"version":"","build":" \u0000"}}`),
		"no data":         versionBody(`{"version":"4.1.1","build":"30242"}`),
		"cut off":         versionBody(`{"data":{"version":"4.1.1","build":"30242"`),
		"5 kB":            Version(strings.Repeat("4", 5<<10), "30242"),
	}
}

func versionBody(body string) Behaviour { return Raw(http.StatusOK, jsonType, body) }

// serveVersion answers the version call.
func (s *Server) serveVersion(w http.ResponseWriter, r *http.Request) {
	bearer := bearerToken(r.Header)
	s.mu.Lock()
	now := s.now()
	s.stats.Versions++
	answer := s.version
	if s.outage.behaviour != nil {
		answer = s.outage
	} else if t, ok := s.tokens[bearer]; !ok || !t.alive(now) {
		answer = s.unauthenticated
	}
	s.mu.Unlock()
	answer.behaviour.Serve(w, r, Call{Now: now, Start: answer.start, Token: bearer})
}

// The demo upgrades an HMP once in upgradePeriod. The HMP restarts for it.
const (
	upgradePeriod = 10 * time.Minute
	restartAfter  = 45 * time.Second // since the period began
	restartFor    = 30 * time.Second
)

// restarting is b on an HMP that is upgraded.
func restarting(b Behaviour) Behaviour {
	return Timeline(
		Step{For: restartAfter, Do: b},
		Step{For: restartFor, Do: Reset()},
		Step{For: upgradePeriod - restartAfter - restartFor, Do: b},
	)
}

// upgraded tells another version after each restart.
func upgraded() Behaviour {
	return BehaviourFunc(func(w http.ResponseWriter, r *http.Request, c Call) {
		version, build := "4.1.0", firstBuild-1
		if upgrades := int((c.age() + upgradePeriod - restartAfter) / upgradePeriod); upgrades > 0 {
			version, build = "4.1.1", firstBuild+upgrades-1
		}
		Version(version, encode(build)).Serve(w, r, c)
	})
}

// firstBuild is the build of version 4.1.1.
const firstBuild = 30242
