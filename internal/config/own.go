package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Own tells what on this machine is the node's own from what the configuration repository may refer to. Whoever writes
// a data source says where its password goes: a key of the node must never be one.
type Own struct {
	files, folders, variables []string
}

// kernelFolders show memory and environment of processes, and devices.
func kernelFolders() []string { return []string{"/proc", "/sys", "/dev"} }

// Own is what this configuration makes the node's own: its file, what its secrets refer to, private keys, the folder
// in which the node keeps its state, and the SSH keys of its user.
func (c *Config) Own() *Own {
	o := &Own{folders: append(kernelFolders(), c.Cluster.DataDirectory), variables: []string{"HONUA_TOKEN"}}
	if home, err := os.UserHomeDir(); err == nil {
		o.folders = append(o.folders, filepath.Join(home, ".ssh"))
	}
	for _, file := range []string{c.file, c.Cluster.TLS.KeyFile, c.API.TLS.KeyFile, c.GitOps.Credentials.SSHKeyFile} {
		if file != "" {
			o.files = append(o.files, file)
		}
	}
	for _, held := range c.values {
		switch value := held.look().(type) {
		case Secret:
			o.refersTo(value.Reveal())
		case string:
			o.refersTo(value)
		}
	}
	return o
}

// refersTo adds what a text of the node's own settings refers to.
func (o *Own) refersTo(text string) {
	for {
		_, rest, found := strings.Cut(text, "${")
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			return
		}
		if path, isFile := strings.CutPrefix(name, "file:"); isFile {
			o.files = append(o.files, path)
		} else {
			o.variables = append(o.variables, name)
		}
		text = after
	}
}

// Holds reports whether a reference, NAME or file:PATH, is to something of the node itself, by whatever path.
func (o *Own) Holds(reference string) bool {
	path, isFile := strings.CutPrefix(reference, "file:")
	if !isFile {
		section, _, nested := strings.Cut(reference, "__")
		return nested && containsFold(sections, section) || slices.Contains(o.variables, reference)
	}
	if o.inside(path) {
		return true
	}
	wanted, err := os.Stat(path)
	return err == nil && slices.ContainsFunc(o.files, func(own string) bool {
		info, err := os.Stat(own)
		return err == nil && os.SameFile(info, wanted)
	})
}

// inside reports whether a path, or what it is a link to, is below one of the folders.
func (o *Own) inside(path string) bool {
	return slices.ContainsFunc(o.folders, func(folder string) bool {
		return below(absolute(path), absolute(folder)) || below(resolved(path), resolved(folder))
	})
}

func absolute(path string) string {
	if whole, err := filepath.Abs(path); err == nil {
		return whole
	}
	return filepath.Clean(path)
}

// resolved follows links as far as there is something.
func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return absolute(real)
	}
	return absolute(path)
}

func below(path, folder string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(rel)
}
