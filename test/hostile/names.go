package hostile

import (
	"strings"

	"github.com/honua-io/honua-gitops/test/gitserver"
)

func specialCases() []Case {
	link := gitserver.File{Mode: "120000", Content: "/etc/passwd"}
	module := gitserver.File{Mode: "160000", SHA: strings.Repeat("5", 40)}
	pointer := gitserver.File{Content: "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"}
	return []Case{
		in(Special, Walk, "symbolic link", rejected, "a.json", link),
		shared(pushed(Special, Walk, "symbolic link in common", rejected, map[string]gitserver.File{"environments/common/a.json": link})),
		shared(pushed(Special, Walk, "policy is a symbolic link", rejected, map[string]gitserver.File{".gitops/deployment-policy.yaml": link})),
		attack(Special, Walk, "symbolic link in the place of the folder", rejected, func(s *Site) {
			s.Push(map[string]gitserver.File{"environments/" + Environment: link}, folder+"metadata.json")
		}),
		in(Special, Walk, "submodule", rejected, "sub", module),
		in(Special, Walk, "unknown mode", rejected, "a", gitserver.File{Mode: "140000", Content: "x"}),
		in(Special, Read, "LFS pointer", rejected, "big.geojson", pointer),
		shared(pushed(Special, Read, "policy is an LFS pointer", rejected, map[string]gitserver.File{".gitops/deployment-policy.yaml": pointer})),
	}
}

func nameCases() []Case {
	one := func(name, file string) Case { return in(Names, Walk, name, rejected, file, plain) }
	two := func(name, a, b string) Case {
		return pushed(Names, Walk, name, rejected, map[string]gitserver.File{folder + a: plain, folder + b: plain})
	}
	return []Case{
		one("not UTF-8", "a\xff"),
		one("control character", "a\nb"),
		one("escape sequence", "\x1b[2Ja"),
		one("direction character", "a\u202egnp.json"),
		one("invisible character", "a\u200b"),
		two("case collision", "a.json", "A.json"),
		two("composition collision", "\u00e9", "e\u0301"),
		two("folder collision", "x/a", "X/a"),
		one("dot dot", ".."),
		one("dot", "./a"),
		one("backslash", `a\b`),
		one(".git", ".git/config"),
		one(".GiT", ".GiT"),
		one("GIT~1", "GIT~1"),
		one(".git.", ".git."),
		one(".git as a stream", ".git::$INDEX_ALLOCATION"),
		one("device name", "aux.json"),
		one("numbered device", "COM1"),
		one("trailing space", "a "),
		attack(Names, Walk, "the same name twice", rejected, func(s *Site) {
			blob := s.Repo.Object("blob", []byte("{}"))
			tree := s.Repo.Tree(gitserver.Entry{Mode: "100644", Name: "a", SHA: blob}, gitserver.Entry{Mode: "100644", Name: "a", SHA: blob})
			s.Push(map[string]gitserver.File{folder + "sub": {Mode: "40000", SHA: tree}})
		}),
	}
}
