package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

func TestSecretNeverShowsItself(t *testing.T) {
	const canary = "canary-4711"
	s := Secret(canary)
	inside := struct {
		S Secret
		P *Secret
	}{s, &s}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s, "inside", inside)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", s, "inside", inside)
	outputs := []string{log.String(), s.String(), s.GoString()}
	for _, verb := range []string{"%s", "%v", "%+v", "%#v", "%q", "%x", "%X", "%d", "%t", "%10s"} {
		outputs = append(outputs, fmt.Sprintf(verb, s), fmt.Sprintf(verb, inside))
	}
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal} {
		out, err := marshal(inside)
		if err != nil {
			t.Fatal(err)
		}
		outputs = append(outputs, string(out))
	}
	for _, out := range outputs {
		if strings.Contains(out, canary) || strings.Contains(out, fmt.Sprintf("%x", canary)) {
			t.Errorf("shows the secret: %s", out)
		}
	}
	if Secret("").String() != "" || s.String() != redacted || s.Reveal() != canary {
		t.Error("set and unset cannot be told apart")
	}
}

func TestExpand(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("from-file\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HONUA_TEST_A", "a${HONUA_TEST_B}")
	tests := []struct{ in, want string }{
		{"", ""},
		{"plain $x", "plain $x"},
		{"<${HONUA_TEST_A}>", "<a${HONUA_TEST_B}>"},
		{"x${file:" + file + "}y", "xfrom-filey"},
	}
	for _, test := range tests {
		if got, err := Expand(test.in); err != nil || got != test.want {
			t.Errorf("Expand(%q) = %q, %v, want %q", test.in, got, err, test.want)
		}
	}
	for in, want := range map[string]string{
		"${HONUA_TEST_NONE}":   "HONUA_TEST_NONE is not set",
		"${file:/nonexistent}": "/nonexistent",
		"a${b":                 "not closed",
	} {
		if _, err := Secret(in).Expand(); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("Expand(%q) fails with %v, want %q in it", in, err, want)
		}
	}
}

func TestDecodeGossipKey(t *testing.T) {
	t.Setenv("HONUA_TEST_KEY", "MDEyMzQ1Njc4OTAxMjM0NQ==")
	c := Cluster{GossipKey: "${HONUA_TEST_KEY}"}
	if key, err := c.DecodeGossipKey(); err != nil || string(key) != "0123456789012345" {
		t.Errorf("got %q, %v", key, err)
	}
	if key, err := new(Cluster).DecodeGossipKey(); err != nil || key != nil {
		t.Errorf("no key: got %q, %v", key, err)
	}
	c.GossipKey = "c2hvcnQ="
	if _, err := c.DecodeGossipKey(); !errors.Is(err, ErrInvalid) {
		t.Errorf("short key: got %v", err)
	}
}
