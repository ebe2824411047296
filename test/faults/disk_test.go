//go:build linux && system

package faults

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func newDisk(t *testing.T) *Disk {
	t.Helper()
	d, err := NewDisk(t.TempDir(), "disk", 16)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func put(path, content string, sync bool) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = file.WriteString(content)
	if err == nil && sync {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// What was synced survives a power loss, and what was not does not.
func TestPowerLoss(t *testing.T) {
	d := newDisk(t)
	kept, lost := filepath.Join(d.Path, "kept"), filepath.Join(d.Path, "lost")
	for path, sync := range map[string]bool{kept: true, lost: false} {
		if err := put(path, "content", sync); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.CutPower(); err != nil {
		t.Fatal(err)
	}
	if err := put(filepath.Join(d.Path, "after"), "content", true); err == nil {
		t.Error("wrote without power")
	}
	if err := d.Restore(); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(kept); err != nil || string(content) != "content" {
		t.Errorf("%q, %v", content, err)
	}
	if content, err := os.ReadFile(lost); err == nil && len(content) > 0 {
		t.Errorf("what was not synced is there: %q", content)
	}
}

func TestFullAndReadOnlyDisk(t *testing.T) {
	d := newDisk(t)
	file := filepath.Join(d.Path, "file")
	if err := d.Fill(); err != nil {
		t.Fatal(err)
	}
	if err := put(file, "content", true); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a full disk: %v", err)
	}
	if err := d.MakeRoom(); err != nil {
		t.Fatal(err)
	}
	if err := put(file, "content", true); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if err := d.MakeReadOnly(); err != nil {
		t.Fatal(err)
	}
	if err := put(file, "content", true); !errors.Is(err, syscall.EROFS) {
		t.Errorf("a read-only disk: %v", err)
	}
}

// A disk that was full and lost power afterwards is not full again: its node would never come back.
func TestRoomSurvivesAPowerLoss(t *testing.T) {
	d := newDisk(t)
	for _, do := range []func() error{d.Fill, d.MakeRoom, d.CutPower, d.Restore} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
	if err := put(filepath.Join(d.Path, "file"), "content", true); err != nil {
		t.Error(err)
	}
}

// A process gets the error while the fault is injected, and not afterwards.
func TestInjectedFault(t *testing.T) {
	dir := t.TempDir()
	// Writes a line whenever it reads one, and says how that went.
	shell := exec.Command("sh", "-c", `while read line; do if echo x >"$0/file"; then echo good; else echo bad; fi; done`, dir)
	in, err := shell.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := shell.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = in.Close(), shell.Wait() }()
	ask := func() string {
		t.Helper()
		answer := make([]byte, 16)
		if _, err := in.Write([]byte("\n")); err != nil {
			t.Fatal(err)
		}
		n, err := out.Read(answer)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(answer[:n]))
	}
	if got := ask(); got != "good" {
		t.Fatal(got)
	}
	injection, err := Inject(shell.Process.Pid, FailWrite(filepath.Join(dir, "file"), "ENOSPC"), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if got := ask(); got != "bad" {
		t.Error("the fault has no effect: " + got)
	}
	if hits, err := injection.Hits(); err != nil || hits == 0 {
		t.Errorf("%d hits, %v", hits, err)
	}
	if err := injection.Stop(); err != nil {
		t.Fatal(err)
	}
	if got := ask(); got != "good" {
		t.Error("the fault lasts: " + got)
	}
	if _, err := Inject(1<<22, FailSync(""), t.TempDir()); err == nil {
		t.Error("attached to a process that is not there")
	}
}
