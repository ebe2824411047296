package gitserver

import (
	"sort"
	"strings"
)

// folder stores the trees for files given by path and returns the root.
func (r *Repo) folder(files map[string]File) string {
	r.t.Helper()
	below := map[string]map[string]File{}
	var entries []Entry
	for path, file := range files {
		if name, rest, nested := strings.Cut(path, "/"); nested {
			if below[name] == nil {
				below[name] = map[string]File{}
			}
			below[name][rest] = file
			continue
		}
		entries = append(entries, r.entry(path, file))
	}
	for name, inner := range below {
		entries = append(entries, Entry{Mode: "40000", Name: name, SHA: r.folder(inner)})
	}
	sort.Slice(entries, func(a, b int) bool { return entries[a].key() < entries[b].key() })
	return r.Tree(entries...)
}

func (r *Repo) entry(name string, file File) Entry {
	r.t.Helper()
	setDefault(&file.Mode, "100644")
	if file.SHA == "" {
		file.SHA = r.Object("blob", []byte(file.Content))
	}
	return Entry{Mode: file.Mode, Name: name, SHA: file.SHA}
}

// key is what Git sorts by: a folder as if its name ended with a slash.
func (e Entry) key() string {
	if e.Mode == "40000" {
		return e.Name + "/"
	}
	return e.Name
}
