package session

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmp"
)

// Files that hold no secret.
var bad = []struct{ name, content string }{
	{"missing", ""},
	{"empty", "\n"},
	{"two lines", canary.Word + "-1\n" + canary.Word + "-2\n"},
}

// write makes a file bad.
func write(r *rig, file, content string) {
	r.t.Helper()
	if content != "" {
		r.file(file, content)
	} else if err := os.Remove(filepath.Join(r.dir, file)); err != nil {
		r.t.Fatal(err)
	}
}

func TestBadFiles(t *testing.T) {
	for _, file := range []string{"token", "key", "secret"} {
		for _, test := range bad {
			t.Run(file+" "+test.name, func(t *testing.T) {
				inBubble(t, func(t *testing.T, r *rig) {
					token, k, s := r.file("token", canary.Word+"-token"), r.file("key", key), r.file("secret", apiSecret)
					var source Source = r.keyring.Login(r.optionsOf("api_key_file: "+k+", api_secret_file: "+s), nil)
					if file == "token" {
						source = Fixed{Token: r.load("token_file: " + token).Token}
					}
					write(r, file, test.content)
					report := r.probe(source)
					if !strings.Contains(report.Reason, filepath.Join(r.dir, file)) {
						t.Errorf("the reason does not name the file: %q", report.Reason)
					}
					want := Report{Answer: hmp.Answer{Result: hmp.Credentials, Reason: report.Reason}}
					if diff := cmp.Diff(want, report); diff != "" {
						t.Errorf("the report (-want +got):\n%s", diff)
					}
					if sent := r.sent(); len(sent) > 0 {
						t.Errorf("%d calls were sent", len(sent))
					}
				})
			})
		}
	}
}

// A file that is bad is reported at once, and costs no login when it is good again.
func TestBadFileWithLivingToken(t *testing.T) {
	for _, file := range []string{"key", "secret"} {
		for _, test := range bad {
			t.Run(file+" "+test.name, func(t *testing.T) {
				inBubble(t, func(t *testing.T, r *rig) {
					k, s := r.file("key", key), r.file("secret", apiSecret)
					l := r.keyring.Login(r.optionsOf("api_key_file: "+k+", api_secret_file: "+s), nil)
					r.probe(l)
					write(r, file, test.content)
					got := words(r.scrape(l, 5*time.Minute))
					r.file("key", key)
					r.file("secret", apiSecret)
					got = append(got, word(r.probe(l)))
					if diff := cmp.Diff([]string{"credentials ×20", "valid"}, got); diff != "" {
						t.Errorf("the probes (-want +got):\n%s", diff)
					}
				})
			})
		}
	}
}

// A rejection has more to tell than the file that is missing for a login.
func TestBadFileAfterRejection(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		k := r.file("key", key)
		l := r.keyring.Login(r.optionsOf("api_key_file: "+k+", api_secret: "+apiSecret), nil)
		r.probe(l)
		r.restart()
		r.onSession = func(call) hmp.Answer { // meanwhile
			write(r, "key", "")
			return hmp.Answer{}
		}
		if diff := cmp.Diff([]string{"unauthorized", "credentials ×3"}, words(r.scrape(l, time.Minute))); diff != "" {
			t.Errorf("the probes (-want +got):\n%s", diff)
		}
	})
}

// A changed file is noticed on the next probe, however it was changed.
func TestChangedFiles(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(r *rig, newKey, newSecret string)
	}{
		{"in place", func(r *rig, newKey, newSecret string) {
			r.file("key", newKey)
			r.file("secret", newSecret)
		}},
		{"by a rename", func(r *rig, newKey, newSecret string) {
			rename(r, r.file("key.new", newKey), "key")
			rename(r, r.file("secret.new", newSecret), "secret")
		}},
		{"as Kubernetes does it", func(r *rig, newKey, newSecret string) { version(r, "..2", newKey, newSecret) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				const newKey, newSecret = key + "-2", apiSecret + "-2"
				r.accept(newKey, newSecret)
				version(r, "..1", key, apiSecret)
				var settings []string
				for _, file := range []string{"key", "secret"} {
					path := filepath.Join(r.dir, file)
					if err := os.Symlink("..data/"+file, path); err != nil {
						t.Fatal(err)
					}
					settings = append(settings, "api_"+file+"_file: "+path)
				}
				l := r.keyring.Login(r.optionsOf(strings.Join(settings, ", ")), nil)
				r.scrape(l, time.Minute)
				r.sent()
				test.change(r, newKey, newSecret)
				if w := word(r.probe(l)); w != "valid login" {
					t.Errorf("the next probe came to %s", w)
				}
				sent := r.sent()
				if diff := cmp.Diff("POST valid, GET valid", path(sent)); diff != "" {
					t.Fatalf("sent (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff([]string{newKey, newSecret}, []string{sent[0].key, sent[0].apiSecret}); diff != "" {
					t.Errorf("the login (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// version writes a directory of secrets and lets ..data link to it.
func version(r *rig, name, key, apiSecret string) {
	r.t.Helper()
	if err := os.Mkdir(filepath.Join(r.dir, name), 0o700); err != nil {
		r.t.Fatal(err)
	}
	r.file(name+"/key", key)
	r.file(name+"/secret", apiSecret)
	link := filepath.Join(r.dir, "..data_tmp")
	if err := os.Symlink(name, link); err != nil {
		r.t.Fatal(err)
	}
	rename(r, link, "..data")
}

func rename(r *rig, from, to string) {
	r.t.Helper()
	if err := os.Rename(from, filepath.Join(r.dir, to)); err != nil {
		r.t.Fatal(err)
	}
}

func TestChangedTokenFile(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		file := r.file("token", canary.Word+"-first")
		source := Fixed{Token: r.load("token_file: " + file).Token}
		r.probe(source)
		r.file("token", canary.Word+"-second\n")
		r.probe(source)
		var got []string
		for _, c := range r.sent() {
			got = append(got, c.token)
		}
		if diff := cmp.Diff([]string{canary.Word + "-first", canary.Word + "-second"}, got); diff != "" {
			t.Errorf("the tokens (-want +got):\n%s", diff)
		}
	})
}
