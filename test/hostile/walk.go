package hostile

import (
	"fmt"
	"strings"

	"github.com/honua-io/honua-gitops/gitsync"
	"github.com/honua-io/honua-gitops/test/gitserver"
)

// pushed is a case of a commit with more files.
func pushed(class Class, phase Phase, name, code string, files map[string]gitserver.File) Case {
	return Case{Class: class, Phase: phase, Name: name, Code: code, Attack: func(s *Site) { s.Push(files) }}
}

// in is a case of a file in the environment's folder.
func in(class Class, phase Phase, name, code, file string, what gitserver.File) Case {
	return pushed(class, phase, name, code, map[string]gitserver.File{folder + file: what})
}

// limited changes the limits of a case.
func limited(c Case, limits func(*gitsync.Limits)) Case {
	c.Limits = limits
	return c
}

func attack(class Class, phase Phase, name, code string, do func(s *Site)) Case {
	return Case{Class: class, Phase: phase, Name: name, Code: code, Attack: do}
}

// whole is a case that is about all environments.
func whole(class Class, phase Phase, name, code string, do func(s *Site)) Case {
	return shared(attack(class, phase, name, code, do))
}

func shared(c Case) Case {
	c.Shared = true
	return c
}

// plain is a small file; rejected is the code of what a commit may not hold.
var plain = gitserver.File{Content: "{}"}

const rejected = "rejected_tree"

func walkCases() []Case {
	gone := strings.Repeat("45", 20)
	return []Case{
		whole(Garbage, Walk, "commit that is none", rejected, func(s *Site) {
			s.Repo.SetBranch(branch, s.Repo.Object("commit", []byte("tree of knowledge\n\nhello\n")))
			s.send(gitserver.NewPack().Whole("commit", []byte("tree of knowledge\n\nhello\n")))
		}),
		attack(Garbage, Walk, "folder that is none", rejected, func(s *Site) {
			tree := s.Repo.Object("tree", []byte("not a tree"))
			s.sendPush(map[string]gitserver.File{"environments/" + Environment: {Mode: "40000", SHA: tree}}, tree)
		}),
		whole(Garbage, Walk, "blob in the place of a folder", "damaged_object", func(s *Site) {
			blob := s.Repo.Object("blob", []byte("file"))
			s.sendPush(map[string]gitserver.File{"environments/" + Environment: {Mode: "40000", SHA: blob}}, blob)
		}),
		attack(Empty, Walk, "folder without a file", Absent, func(s *Site) {
			s.Push(map[string]gitserver.File{"environments/" + Environment: {Mode: "40000", SHA: s.Repo.Tree()}}, folder+"metadata.json")
		}),
		whole(Empty, Walk, "repository without a folder", Absent, func(s *Site) {
			s.Repo.Commit(gitserver.Change{Tree: s.Repo.Tree(), Parents: []string{s.Good}})
		}),
		attack(Truncated, Walk, "folder cut off", rejected, func(s *Site) {
			_, content := s.Repo.Raw(s.Repo.Tree(gitserver.Entry{Mode: "100644", Name: "a", SHA: s.Repo.Object("blob", nil)}))
			tree := s.Repo.Object("tree", content[:len(content)-5])
			s.sendPush(map[string]gitserver.File{"environments/" + Environment: {Mode: "40000", SHA: tree}}, tree)
		}),
		whole(Missing, Walk, "folder", "missing_object", func(s *Site) {
			tree := s.Repo.Tree(gitserver.Entry{Mode: "100644", Name: "a", SHA: s.Repo.Object("blob", []byte("{}"))})
			commit := s.PushFile("sub", gitserver.File{Mode: "40000", SHA: tree})
			s.send(s.pack(commit, map[string]func(*gitserver.Pack){tree: func(*gitserver.Pack) {}}))
		}),
		whole(Missing, Walk, "parent", "missing_object", func(s *Site) {
			commit := s.Repo.Commit(gitserver.Change{Files: s.Files(nil), Parents: []string{gone}})
			s.send(s.pack(commit, map[string]func(*gitserver.Pack){gone: func(*gitserver.Pack) {}}))
		}),
		{Class: Rewritten, Phase: Walk, Name: "history without the deployed commit", Code: Accepted, Check: isRewritten, Attack: func(s *Site) {
			s.Repo.Commit(gitserver.Change{Files: s.Files(nil), Parents: []string{}})
		}},
		attack(Bombs, Walk, "a billion paths in the folder", rejected, func(s *Site) {
			s.Push(map[string]gitserver.File{folder + "bomb": {Mode: "40000", SHA: s.treeBomb()}})
		}),
		attack(Bombs, Walk, "a billion paths elsewhere", Accepted, func(s *Site) {
			s.Push(map[string]gitserver.File{"bomb": {Mode: "40000", SHA: s.treeBomb()}})
		}),
		whole(Bombs, Walk, "a commit with 300 parents", rejected, func(s *Site) {
			parents := make([]string, 300)
			for i := range parents {
				parents[i] = s.Good
			}
			s.Repo.Commit(gitserver.Change{Files: s.Files(nil), Parents: parents})
		}),
		limited(pushed(Oversized, Walk, "too many files", rejected, numbered(41)), func(l *gitsync.Limits) { l.MaxFiles = 40 }),
		in(Oversized, Walk, "nested too deep", rejected, strings.Repeat("d/", 20)+"a", plain),
		in(Oversized, Walk, "name of 4 KB", rejected, strings.Repeat("n", 4096), plain),
		in(Oversized, Walk, "path of 1,200 bytes", rejected, strings.Repeat(strings.Repeat("n", 200)+"/", 6)+"a", plain),
		attack(Oversized, Walk, "folder of 9 MiB", rejected, func(s *Site) {
			blob := s.Repo.Object("blob", nil)
			entries := make([]gitserver.Entry, 0, 40_000)
			for i := range cap(entries) {
				entries = append(entries, gitserver.Entry{Mode: "100644", Name: fmt.Sprintf("%0210d", i), SHA: blob})
			}
			s.Push(map[string]gitserver.File{folder + "sub": {Mode: "40000", SHA: s.Repo.Tree(entries...)}})
		}),
		whole(Oversized, Walk, "message of 2 MiB", rejected, func(s *Site) {
			s.Repo.Commit(gitserver.Change{Files: s.Files(nil), Parents: []string{s.Good}, Message: strings.Repeat("x", 2*mib)})
		}),
	}
}

func isRewritten(r *gitsync.Reading) error {
	if r.Relation != gitsync.Rewritten {
		return fmt.Errorf("it is taken for %s", r.Relation)
	}
	return nil
}

func numbered(n int) map[string]gitserver.File {
	files := map[string]gitserver.File{}
	for i := range n {
		files[fmt.Sprintf("%sf%03d", folder, i)] = plain
	}
	return files
}

// treeBomb is a kilobyte that stands for a billion paths.
func (s *Site) treeBomb() string {
	s.T.Helper()
	tree := s.Repo.Tree(gitserver.Entry{Mode: "100644", Name: "f", SHA: s.Repo.Object("blob", []byte("boom"))})
	for range 9 {
		var entries []gitserver.Entry
		for i := range 10 {
			entries = append(entries, gitserver.Entry{Mode: "40000", Name: fmt.Sprintf("d%d", i), SHA: tree})
		}
		tree = s.Repo.Tree(entries...)
	}
	return tree
}
