package kubernetes

import (
	"bufio"
	"context"
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
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
	corev1 "k8s.io/api/core/v1"
)

const (
	program = "../../hmp_exporter"
	timeout = 5 * time.Minute // generous, for a busy machine
)

// TestProgram runs the program with the arguments, the environment and the files of each
// example's container. It must become ready.
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
			args[port] = "--web.listen-address=127.0.0.1:0" // any free port
			serve := commandOf(t, pod, dir, args...)
			checkProgram(t, serve)
		})
	}
}

// mountConfig makes a directory with the files of a pod at /etc/hmp_exporter. The chart does not
// have the values of Secrets, so each key gets a suitable value.
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

// valueOf returns the content of a file that the user supplies.
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

// commandOf returns the program with the environment of a container. dir stands for the working
// directory of the image.
func commandOf(t *testing.T, pod corev1.PodTemplateSpec, dir string, args ...string) *exec.Cmd {
	t.Helper()
	binary, err := filepath.Abs(program)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir = dir
	cmd.Env = []string{"TMPDIR=" + t.TempDir()}
	for _, variable := range pod.Spec.Containers[0].Env {
		cmd.Env = append(cmd.Env, variable.Name+"="+variable.Value)
	}
	return cmd
}

// listening matches the address in the log, in both formats.
var listening = regexp.MustCompile(`address"?[=:]"?(127\.0\.0\.1:[1-9]\d*)`)

// checkProgram starts the program, asks whether it is ready, and stops it.
func checkProgram(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	output, pipe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	cmd.Stdout, cmd.Stderr = pipe, pipe
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v (run make build first)", err)
	}
	_ = pipe.Close()
	secured := slices.ContainsFunc(cmd.Args, func(arg string) bool { return strings.HasPrefix(arg, "--web.config.file=") })
	ready, text := false, ""
	for lines := bufio.NewScanner(output); lines.Scan(); { // until the program ends
		text += lines.Text() + "\n"
		if address := listening.FindStringSubmatch(lines.Text()); address != nil && !ready {
			ready = true
			checkReady(t, address[1], secured)
			_ = cmd.Process.Signal(syscall.SIGTERM)
		}
	}
	if err := cmd.Wait(); err != nil || !ready {
		t.Errorf("%q: ready: %t, then %v\n%s", cmd.Args, ready, err, text)
	}
	if strings.Contains(text, "CANARY") {
		t.Errorf("the output contains a secret:\n%s", text)
	}
}

// checkReady asks as the kubelet does, which has no password.
func checkReady(t *testing.T, address string, secured bool) {
	t.Helper()
	url, want := "http://"+address+"/-/ready", http.StatusOK
	if secured {
		url, want = "https://"+address+"/-/ready", http.StatusUnauthorized
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Timeout: timeout, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
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
