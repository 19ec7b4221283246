package kubernetes

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
	corev1 "k8s.io/api/core/v1"
)

const (
	program  = "../../hmp_exporter"
	patience = 30 * time.Second
)

// TestProgram runs what the container of each example runs, with its arguments, its environment and its files, and sees
// that the program takes all of it and becomes ready.
func TestProgram(t *testing.T) {
	for _, example := range examples(t) {
		t.Run(example, func(t *testing.T) {
			all := render(t, example)
			pod := podOf(t, all)
			dir := mountConfig(t, all, pod)

			if pod.Spec.Containers[0].Args[0] == "serve" {
				check := commandOf(t, pod, dir, "check")
				if output, err := check.CombinedOutput(); err != nil {
					t.Fatalf("check: %v\n%s", err, output)
				}
			}
			args := slices.Clone(pod.Spec.Containers[0].Args)
			port := slices.IndexFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "--web.listen-address=:") })
			args[port] = "--web.listen-address=127.0.0.1:0" // that of the cluster is not this machine's to open
			serve := commandOf(t, pod, dir, args...)
			expectListening(t, serve)
		})
	}
}

// mountConfig makes a directory of what a pod has at /etc/hmp_exporter. Of Secrets, whose values the chart never sees,
// there are keys; each gets a value that is good for its place.
func mountConfig(t *testing.T, all objects, pod corev1.PodTemplateSpec) string {
	t.Helper()
	dir := t.TempDir()
	place := func(source string, item corev1.KeyToPath, text string) {
		file := filepath.Join(dir, item.Path)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatalf("%s: %v", source, err)
		}
	}
	for _, volume := range pod.Spec.Volumes {
		if volume.Projected == nil {
			continue
		}
		for _, source := range volume.Projected.Sources {
			if source.ConfigMap != nil {
				for _, item := range source.ConfigMap.Items {
					text := valueOf(t, item.Path)
					if made, ok := all["ConfigMap/"+source.ConfigMap.Name].(*corev1.ConfigMap); ok {
						text = made.Data[item.Key]
					}
					place(source.ConfigMap.Name, item, text)
				}
			}
			if source.Secret != nil {
				for _, item := range source.Secret.Items {
					place(source.Secret.Name, item, valueOf(t, item.Path))
				}
			}
		}
	}
	return dir
}

// selfSigned returns a certificate and its key.
func selfSigned(t *testing.T) (certificate, key string) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	der, err := x509.MarshalPKCS8PrivateKey(server.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	encode := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return encode("CERTIFICATE", server.Certificate().Raw), encode("PRIVATE KEY", der)
}

// valueOf is what a file that a user has to supply may hold.
func valueOf(t *testing.T, path string) string {
	t.Helper()
	certificate, key := selfSigned(t)
	switch filepath.Base(path) {
	case "hmp.yml":
		return `targets: [{name: studio, url: "https://hmp.studio.example", sessions: [{name: playout, token: CANARY}]}]`
	case "web.yml":
		hash, err := bcrypt.GenerateFromPassword([]byte("CANARY"), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		return "tls_server_config: {cert_file: tls.crt, key_file: tls.key}\nbasic_auth_users: {prometheus: " + string(hash) + "}\n"
	case "tls.crt", "hmp-ca.pem":
		return certificate
	case "tls.key":
		return key
	default:
		return "CANARY\n"
	}
}

// commandOf is the program as a container runs it, in a directory that stands for where the image starts it.
func commandOf(t *testing.T, pod corev1.PodTemplateSpec, dir string, args ...string) *exec.Cmd {
	t.Helper()
	binary, err := filepath.Abs(program)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = patience
	cmd.Dir = dir
	cmd.Env = []string{"TMPDIR=" + t.TempDir()}
	for _, variable := range pod.Spec.Containers[0].Env {
		cmd.Env = append(cmd.Env, variable.Name+"="+variable.Value)
	}
	return cmd
}

// How the program says where it listens, in either format of its log.
var listening = regexp.MustCompile(`address"?[=:]"?(127\.0\.0\.1:[1-9]\d*)`)

// expectListening starts the program, waits until it says where it listens, asks whether it is ready, and ends it.
func expectListening(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	output := &watchedOutput{found: make(chan string, 1)}
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v (did make build it?)", err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	select {
	case address := <-output.found:
		expectReady(t, address, slices.ContainsFunc(cmd.Args, func(arg string) bool { return strings.HasPrefix(arg, "--web.config.file=") }))
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := <-exited; err != nil {
			t.Errorf("after SIGTERM: %v\n%s", err, output)
		}
	case err := <-exited:
		t.Errorf("%q ended: %v\n%s", cmd.Args, err, output)
	case <-time.After(patience):
		t.Errorf("%q is not ready after %s:\n%s", cmd.Args, patience, output)
	}
	if strings.Contains(output.String(), "CANARY") {
		t.Errorf("its output has a secret:\n%s", output)
	}
}

// expectReady asks as the kubelet would, which has no password where one is wanted.
func expectReady(t *testing.T, address string, secured bool) {
	t.Helper()
	url, want := "http://"+address+"/-/ready", http.StatusOK
	if secured {
		url, want = "https://"+address+"/-/ready", http.StatusUnauthorized
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != want {
		t.Errorf("%s answers %s, want %d", url, resp.Status, want)
	}
}

// A watchedOutput finds where the program says that it listens.
type watchedOutput struct {
	mu    sync.Mutex
	text  bytes.Buffer
	found chan string
}

func (o *watchedOutput) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(p)
	if address := listening.FindStringSubmatch(o.text.String()); address != nil {
		select {
		case o.found <- address[1]:
		default:
		}
	}
	return len(p), nil
}

func (o *watchedOutput) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
