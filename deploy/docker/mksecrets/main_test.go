package main

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// The operator may do everything with what is made, and nothing that is there is made again.
func TestMakeSecrets(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "secrets")
	if err := makeSecrets(directory); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(directory, "operator.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(content)
	if block == nil {
		t.Fatal("operator.pem is no PEM file")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if len(certificate.URIs) != 1 || certificate.URIs[0].Host != cluster || certificate.URIs[0].Path != "/admin/*" {
		t.Errorf("the operator's roles are %v", certificate.URIs)
	}
	if err := makeSecrets(directory); !errors.Is(err, fs.ErrExist) {
		t.Errorf("made again: %v", err)
	}
}
