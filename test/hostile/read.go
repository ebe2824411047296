package hostile

import (
	"strings"

	"github.com/honua-io/honua-gitops/gitsync"
	"github.com/honua-io/honua-gitops/test/gitserver"
)

func readCases() []Case {
	huge, big := newBigBlob(1024), newBigBlob(128)
	text := gitserver.File{Content: strings.Repeat("x", 900)}
	small := `{"small": true}` + "\n"
	smallName := func() string { return gitserver.Name("blob", int64(len(small)), strings.NewReader(small)) }
	return []Case{
		attack(Missing, Read, "file", "missing_object", func(s *Site) {
			blob := s.Repo.Object("blob", []byte("lost"))
			commit := s.PushFile("lost.json", gitserver.File{SHA: blob})
			s.send(s.pack(commit, map[string]func(*gitserver.Pack){blob: func(*gitserver.Pack) {}}))
		}),
		attack(Garbage, Read, "folder in the place of a file", "damaged_object", func(s *Site) {
			s.send(s.pack(s.PushFile("a.json", gitserver.File{SHA: s.Repo.Tree()}), nil))
		}),
		in(Empty, Read, "file of no bytes", Accepted, "empty.geojson", gitserver.File{Content: ""}),
		withFile(Bombs, Read, "1 GiB of zeros", rejected, folder+"zeros", huge.name, huge.whole),
		withFile(Bombs, Read, "128 MiB of zeros", rejected, folder+"zeros", big.name, big.whole),
		withFile(Bombs, Read, "delta of 128 MiB", rejected, folder+"zeros", big.name, big.differences),
		withFile(Bombs, Read, "small file as a delta of 128 MiB", Accepted, folder+"small.json", smallName, func(p *gitserver.Pack) {
			base := p.Next()
			big.whole(p)
			p.Delta(base, insert(big.size, small))
		}),
		limited(in(Oversized, Read, "large file", rejected, "a", text), func(l *gitsync.Limits) { l.MaxFileBytes = 899 }),
		limited(pushed(Oversized, Read, "large environment", rejected, map[string]gitserver.File{
			folder + "a": text, folder + "b": text, folder + "c": text,
		}), func(l *gitsync.Limits) { l.MaxBundleBytes = 2000 }),
		shared(pushed(Oversized, Read, "policy of 2 MiB", rejected, map[string]gitserver.File{
			".gitops/deployment-policy.yaml": {Content: strings.Repeat("# policy\n", 250_000)},
		})),
	}
}

// parsed is a case of a metadata.json.
func parsed(class Class, name, content string) Case {
	return in(class, Parse, name, "validation_failed", "metadata.json", gitserver.File{Content: content})
}

func parseCases() []Case {
	policy := func(class Class, name, content string) Case {
		return shared(pushed(class, Parse, name, "policy_invalid", map[string]gitserver.File{".gitops/deployment-policy.yaml": {Content: content}}))
	}
	inService := func(id string) string { return `{"services": [{"id": "` + id + `", "title": "S", "layers": []}]}` }
	return []Case{
		parsed(Garbage, "no JSON", "services: []\n"),
		parsed(Garbage, "binary", "\x00\x01\xff\xfe\x7fELF"),
		parsed(Garbage, "duplicate keys", `{"services": [], "services": []}`),
		policy(Garbage, "no YAML", "production: [\n"),
		parsed(Empty, "no bytes", ""),
		parsed(Truncated, "half a file", `{"services": [{"id": "s", "ti`),
		parsed(Corrupt, "control character in a string", "{\"services\": [{\"id\": \"s\x01\", \"title\": \"S\", \"layers\": []}]}"),
		parsed(Missing, "data source that is not there", `{"services": [{"id": "s", "title": "S", "layers": [{"id": "l", "title": "L", "datasource": "nowhere", "table": "t", "geometryColumn": "g", "geometryType": "Point", "srid": 4326, "properties": []}]}]}`),
		parsed(Bombs, "a million brackets", strings.Repeat("[", 1_000_000)),
		policy(Bombs, "aliases of aliases", aliases()),
		parsed(Oversized, "id of 1 MiB", inService(strings.Repeat("k", mib))),
		parsed(Oversized, "a hundred thousand mistakes", `{"services": [`+strings.Repeat("0,", 100_000)+`0]}`),
		in(Special, Parse, "settings of the node itself", "validation_failed", "appsettings.json", gitserver.File{Content: `{"Cluster": {"NodeId": "mine"}}`}),
		parsed(Names, "direction character in an id", inService("a\u202eb")),
		parsed(Foreign, "UTF-16", "\xff\xfe{\x00}\x00"),
	}
}

// aliases is a YAML document of ten lines that stands for a billion values.
func aliases() string {
	var out strings.Builder
	out.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 10; i++ {
		n, before := string(rune('0'+i)), string(rune('0'+i-1))
		out.WriteString("a" + n + ": &a" + n + " [" + strings.TrimSuffix(strings.Repeat("*a"+before+", ", 10), ", ") + "]\n")
	}
	return out.String()
}
