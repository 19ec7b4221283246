package config

import (
	"hmp_exporter/internal/secret"

	promconfig "github.com/prometheus/common/config"
)

// sessions adds the sessions of one target.
func (b *builder) sessions(r *report, target, dir string, raws []rawSession, t *Target) {
	path := join(target, "sessions")
	if len(raws) == 0 && r.clean(path) {
		r.add(path, "no sessions", "give the target at least one, with a name, an api_key_file and an api_secret_file")
	}
	names := make(map[string]int)
	for i := range raws {
		raw, path := &raws[i], path+index(i)
		if r.broken[path] {
			continue
		}
		if at := join(path, "name"); checkName(r, at, raw.Name) {
			if first, ok := names[raw.Name]; ok {
				r.add(at, "session "+raw.Name+" is already "+onLine(first), "give each session of a target a name of its own")
			} else {
				names[raw.Name] = r.line(at)
			}
		}
		first := len(b.config.checks)
		t.Sessions = append(t.Sessions, b.session(r, path, dir, raw))
		for i := range b.config.checks[first:] {
			b.config.checks[first+i].at.Session = raw.Name
		}
	}
}

// session makes one session from a token or a key and secret, exactly one of the two.
func (b *builder) session(r *report, path, dir string, raw *rawSession) *Session {
	token := b.source(r, path, dir, "token", raw.Token, &raw.TokenFile)
	key := b.source(r, path, dir, "api_key", raw.APIKey, &raw.APIKeyFile)
	secret := b.source(r, path, dir, "api_secret", raw.APISecret, &raw.APISecretFile)

	switch {
	case !token.IsZero() && !(key.IsZero() && secret.IsZero()):
		r.add(join(path, r.given(path, "token")), "a token and an API key or secret", "keep one: the token, or the key and secret")
	case token.IsZero() && key.IsZero() && secret.IsZero():
		if !r.clean(path) {
			break // a field that is misspelt can be the one
		}
		r.add(path, "no credential", "set "+r.name("token_file")+", or "+r.name("api_key_file")+" and "+r.name("api_secret_file"))
	case token.IsZero() && secret.IsZero():
		r.add(join(path, r.given(path, "api_key")), "an API key without its secret", "set "+r.name("api_secret_file")+" too")
	case token.IsZero() && key.IsZero():
		r.add(join(path, r.given(path, "api_secret")), "an API secret without its key", "set "+r.name("api_key_file")+" too")
	}
	return &Session{Name: raw.Name, Token: token, APIKey: key, APISecret: secret}
}

// source makes the source of one secret, that was given inline or as a file, and
// makes the path of that file relative to dir. It is zero if neither was given.
func (b *builder) source(r *report, path, dir, field string, inline secret.Value, file *string) SecretSource {
	at, atFile := join(path, field), join(path, field+"_file")
	s := SecretSource{name: r.name(field), value: inline, variable: r.variables != nil, token: field == "token"}
	switch {
	case r.has(at) && r.has(atFile):
		r.add(atFile, "both "+r.name(field)+" and "+r.name(field+"_file"), "keep one of the two")
	case r.has(at):
		if inline.IsZero() {
			break // reported by the decoder
		}
		if err := checkSecret(inline.Reveal(), s.token); err != nil {
			r.add(at, err.Error(), s.hint(err))
		}
	case r.has(atFile):
		*file = promconfig.JoinDir(dir, *file)
		s.name, s.file = r.name(field+"_file"), *file
		b.config.checks = append(b.config.checks, check{
			at:   Error{File: r.file, Line: r.line(atFile), Field: r.field(atFile)},
			file: s.file,
			read: func() error { _, err := s.read(); return err },
			hint: s.hint,
		})
	default:
		return SecretSource{}
	}
	return s
}

// given is the field that the secret was given in, itself or its file.
func (r *report) given(path, field string) string {
	if r.has(join(path, field)) {
		return field
	}
	return field + "_file"
}
