package catalog

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// policyFolder holds what decides about deployments.
const policyFolder = ".gitops/"

func (d *differ) dataSources(before, after *Model) {
	old, now := byID(before.DataSources, sourceID), byID(after.DataSources, sourceID)
	for i := range after.DataSources {
		source := &after.DataSources[i]
		subject := subject{kind: KindDataSource, id: source.ID, file: source.Pos.File}
		earlier, found := old[fold(source.ID)]
		if !found {
			d.added(subject)
			continue
		}
		var fields fieldList
		fields.check("id", earlier.ID != source.ID)
		fields.check("type", earlier.Type != source.Type)
		fields.check("connectionString", earlier.ConnectionString != source.ConnectionString)
		fields.check("description", earlier.Description != source.Description)
		fields.extras(earlier.Extra, source.Extra)
		d.modified(subject, fields)
	}
	for i := range before.DataSources {
		source := &before.DataSources[i]
		if _, found := now[fold(source.ID)]; !found {
			d.removed(subject{kind: KindDataSource, id: source.ID, file: source.Pos.File})
		}
	}
}

// settings compares what the files say; a setting that nobody gave is not there.
func (d *differ) settings(before, after Settings) {
	old, now := before.values(), after.values()
	for _, name := range slices.Sorted(maps.Keys(after.Sources)) {
		subject := subject{kind: KindSetting, id: name, file: after.Sources[name].File}
		if _, found := before.Sources[name]; !found {
			d.added(subject)
		} else if !sameJSON(old[name], now[name]) {
			d.modified(subject, []fieldChange{{field: changeValue, rule: changeValue}})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(before.Sources)) {
		if _, found := after.Sources[name]; !found {
			d.removed(subject{kind: KindSetting, id: name, file: before.Sources[name].File})
		}
	}
}

// sameJSON reports whether two values are written alike.
func sameJSON(a, b any) bool {
	one, err := json.Marshal(a)
	other, otherErr := json.Marshal(b)
	return err == nil && otherErr == nil && bytes.Equal(one, other)
}

// files compares the digests of other files, and the unknown properties at the top of known ones.
func (d *differ) files(before, after *Model) {
	old, now := digests(before.Files), digests(after.Files)
	for _, file := range after.Files {
		subject := fileSubject(file.Path)
		if sum, found := old[file.Path]; !found {
			d.added(subject)
		} else if sum != file.SHA256 {
			d.modified(subject, []fieldChange{{field: changeContent, rule: changeContent}})
		}
	}
	for _, file := range before.Files {
		if _, found := now[file.Path]; !found {
			d.removed(fileSubject(file.Path))
		}
	}
	paths := map[string]bool{}
	for path := range before.Extra {
		paths[path] = true
	}
	for path := range after.Extra {
		paths[path] = true
	}
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		var fields fieldList
		fields.extras(before.Extra[path], after.Extra[path])
		d.modified(subject{kind: KindFile, id: path, file: path}, fields)
	}
}

func fileSubject(path string) subject {
	if strings.HasPrefix(path, policyFolder) {
		return subject{kind: KindPolicy, id: path, file: path}
	}
	return subject{kind: KindFile, id: path, file: path}
}

func digests(files []FileDigest) map[string]string {
	index := make(map[string]string, len(files))
	for _, file := range files {
		index[file.Path] = file.SHA256
	}
	return index
}
