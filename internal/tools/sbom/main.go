// Command sbom writes what a Go program was built from as an SPDX 2.3 document,
// and refuses licences that are not on its list. It reads the program itself
// and the module cache, and asks nobody.
//
//	go run ./sbom [-o FILE] [-check] PROGRAM
package main

import (
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"unicode"
)

func main() {
	out := flag.String("o", "", "where the document goes; standard output without it")
	check := flag.Bool("check", false, "fail for a licence that is not on the list")
	flag.Parse()
	if err := run(flag.Arg(0), *out, *check); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

// allowed are licences that a program under any licence may be built from.
func allowed() []string {
	return []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MPL-2.0", "Unlicense"}
}

type module struct {
	path, version, sum, licence string
}

func run(program, out string, check bool) error {
	if program == "" {
		return errors.New("name a program")
	}
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	cache, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		return err
	}
	modules := []module{}
	var refused []error
	for _, dep := range info.Deps {
		if dep.Replace != nil {
			dep = dep.Replace
		}
		m := module{dep.Path, dep.Version, dep.Sum, licenceOf(strings.TrimSpace(string(cache)), dep)}
		modules = append(modules, m)
		if check && !permitted(m.licence) {
			refused = append(refused, fmt.Errorf("%s %s: licence %s", m.path, m.version, m.licence))
		}
	}
	if len(refused) > 0 {
		return errors.Join(refused...)
	}
	data, err := json.MarshalIndent(document(info, modules), "", "  ")
	if err != nil {
		return err
	}
	if out == "" {
		_, err = fmt.Printf("%s\n", data)
		return err
	}
	return os.WriteFile(out, append(data, '\n'), 0o644)
}

// permitted: each part of what is under several licences has to be.
func permitted(licence string) bool {
	for part := range strings.SplitSeq(licence, " AND ") {
		found := false
		for _, known := range allowed() {
			found = found || part == known
		}
		if !found {
			return false
		}
	}
	return true
}

// licenceOf reads the files that are called licence in a module's root.
func licenceOf(cache string, dep *debug.Module) string {
	dir := filepath.Join(cache, escape(dep.Path)+"@"+escape(dep.Version))
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "NOASSERTION"
	}
	found := map[string]bool{}
	var order []string
	for _, e := range entries {
		name := strings.ToUpper(e.Name())
		if e.IsDir() || !strings.HasPrefix(name, "LICEN") && !strings.HasPrefix(name, "COPYING") && name != "UNLICENSE" {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			continue
		}
		if id := classify(string(data)); id != "" && !found[id] {
			found[id] = true
			order = append(order, id)
		}
	}
	if len(order) == 0 {
		return "NOASSERTION"
	}
	return strings.Join(order, " AND ")
}

// escape is how the module cache spells capitals.
func escape(path string) string {
	var b strings.Builder
	for _, r := range path {
		if unicode.IsUpper(r) {
			b.WriteByte('!')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// classify knows a licence by sentences that only it has.
func classify(text string) string {
	text = strings.ToLower(strings.Join(strings.Fields(text), " "))
	has := func(s string) bool { return strings.Contains(text, s) }
	// Others name these too, as what they go together with.
	title := func(s string) bool { return strings.Contains(text[:min(len(text), 200)], s) }
	switch {
	case title("gnu affero general public license"), title("gnu general public license"), title("gnu lesser general public license"):
		return "GPL"
	case has("mozilla public license version 2.0"), has("mozilla public license, version 2.0"):
		return "MPL-2.0"
	case has("apache license") && has("version 2.0"):
		return "Apache-2.0"
	case has("this is free and unencumbered software"):
		return "Unlicense"
	case has("permission to use, copy, modify, and/or distribute"), has("permission to use, copy, modify, and distribute this software for any purpose"):
		return "ISC"
	case has("permission is hereby granted, free of charge"):
		return "MIT"
	case has("redistribution and use in source and binary forms") && (has("neither the name") || has("may not be used to endorse") || has("names of its contributors")):
		return "BSD-3-Clause"
	case has("redistribution and use in source and binary forms"):
		return "BSD-2-Clause"
	}
	return ""
}

// document is SPDX 2.3, without times: equal programs have equal documents.
func document(info *buildinfo.BuildInfo, modules []module) map[string]any {
	packages := []map[string]any{{
		"SPDXID": "SPDXRef-program", "name": info.Main.Path, "versionInfo": info.Main.Version,
		"downloadLocation": "NOASSERTION", "licenseConcluded": "NOASSERTION", "filesAnalyzed": false,
		"comment": "built with " + info.GoVersion,
	}}
	relations := []map[string]string{{
		"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-program",
	}}
	for i, m := range modules {
		id := fmt.Sprintf("SPDXRef-module-%d", i+1)
		packages = append(packages, map[string]any{
			"SPDXID": id, "name": m.path, "versionInfo": m.version, "downloadLocation": "NOASSERTION",
			"licenseConcluded": m.licence, "filesAnalyzed": false, "comment": "go.sum " + m.sum,
			"externalRefs": []map[string]string{{
				"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:golang/" + m.path + "@" + m.version,
			}},
		})
		relations = append(relations, map[string]string{
			"spdxElementId": "SPDXRef-program", "relationshipType": "DEPENDS_ON", "relatedSpdxElement": id,
		})
	}
	return map[string]any{
		"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": "honua",
		"documentNamespace": "https://github.com/honua-io/honua-gitops/sbom/" + info.Main.Version,
		"creationInfo":      map[string]any{"created": "1970-01-01T00:00:00Z", "creators": []string{"Tool: honua-sbom"}},
		"packages":          packages, "relationships": relations,
	}
}
