package gitsync

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/honua-io/honua-gitops/test/gitserver"
)

// One story over every transport: first commit, a change, a rewritten branch, an unrelated
// repository in its place.
func TestRead(t *testing.T) {
	for _, transport := range transports() {
		t.Run(transport.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			first := s.repo.Commit(gitserver.Change{Files: sample(nil)})
			m := transport.open(t, s)
			got := read(t, m, Request{Commit: first})
			want := []string{
				"environments/common/shared-config.json",
				"environments/production/datasources.json",
				"environments/production/layers/roads.json",
				"environments/production/metadata.json",
			}
			if diff := cmp.Diff(want, paths(got.Files)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			if string(got.Policy) != "production:\n  requiresApproval: true\n" || got.Relation != New || got.RelevantFiles != 5 || got.ChangedFiles != 7 {
				t.Errorf("first: policy %q, relation %s, %d of %d files", got.Policy, got.Relation, got.RelevantFiles, got.ChangedFiles)
			}

			second := s.repo.Commit(gitserver.Change{Files: sample(map[string]string{
				"environments/production/metadata.json": `{"services":[{}]}`, "environments/staging/x": "", "docs/a/b": "",
			}), Author: "Bo <bo@example.com>", Committer: "Cy <cy@example.com>", Message: "Add\n\nCo-authored-by: Di <di@example.com>\n"})
			got = read(t, m, Request{Commit: second, Deployed: first})
			if got.Relation != FastForward || got.RelevantFiles != 1 || got.ChangedFiles != 3 {
				t.Errorf("second: relation %s, %d of %d files", got.Relation, got.RelevantFiles, got.ChangedFiles)
			}
			people := []Contributor{
				{"Bo", "bo@example.com", Author}, {"Cy", "cy@example.com", Committer}, {"Di", "di@example.com", CoAuthor},
			}
			if diff := cmp.Diff(people, got.Contributors); diff != "" {
				t.Errorf("contributors (-want +got):\n%s", diff)
			}
			if got = read(t, m, Request{Commit: second, Deployed: second}); got.Relation != Same || got.ChangedFiles != 0 {
				t.Errorf("same: relation %s, %d files", got.Relation, got.ChangedFiles)
			}

			rewritten := s.repo.Commit(gitserver.Change{Files: sample(map[string]string{"x": "y"}), Parents: []string{first}})
			got = read(t, m, Request{Commit: rewritten, Deployed: second})
			if got.Relation != Rewritten || len(got.RewrittenAway) != 1 || got.RewrittenAway[0].SHA != second {
				t.Errorf("rewritten: %s, away %v", got.Relation, got.RewrittenAway)
			}

			other := s.repo.Commit(gitserver.Change{Files: sample(map[string]string{"z": "z"}), Parents: []string{}})
			got = read(t, m, Request{Commit: other, Deployed: rewritten})
			if got.Relation != Rewritten || len(got.RewrittenAway) != 2 || len(got.Files) != 4 {
				t.Errorf("unrelated: %s, away %v", got.Relation, got.RewrittenAway)
			}
			// A commit that was deployed and is gone from the repository.
			got = read(t, m, Request{Commit: other, Deployed: strings.Repeat("ab", 20)})
			if got.Relation != Rewritten || got.RelevantFiles != 5 {
				t.Errorf("deployed gone: %s, %d files", got.Relation, got.RelevantFiles)
			}
			_, err := m.Read(t.Context(), Request{Commit: strings.Repeat("cd", 20), Environment: "production"})
			if !errors.Is(err, ErrCommitNotFound) {
				t.Errorf("no such commit: %v", err)
			}
		})
	}
}

func TestReadCommitInfo(t *testing.T) {
	s := newSite(t)
	sha := s.repo.Commit(gitserver.Change{
		Files: sample(nil), Author: "Ada \x1b[31m\u202eLovelace <ada@example.com>", Committer: "Bo <bo@example.com>",
		Message: "Subject \xff\n\nBody\x07\n",
	})
	got := read(t, s.open(s.fileURL()), Request{Commit: sha}).Commit
	if got.SHA != sha || got.Author != "Ada [31mLovelace" || got.AuthorEmail != "ada@example.com" || got.Committer != "Bo" ||
		got.Message != "Subject \uFFFD\n\nBody" || got.Time.Year() != 2026 {
		t.Errorf("%+v", got)
	}
}

// I17: what is not there is told apart from what cannot be read.
func TestReadNoEnvironment(t *testing.T) {
	s := newSite(t)
	empty := s.repo.Tree()
	m := s.open(s.fileURL())
	for name, change := range map[string]gitserver.Change{
		"empty tree":        {Tree: empty},
		"no environments":   {Files: gitserver.Texts(map[string]string{"README.md": ""})},
		"other environment": {Files: gitserver.Texts(map[string]string{"environments/staging/metadata.json": ""})},
		"common only":       {Files: gitserver.Texts(map[string]string{"environments/common/shared-config.json": ""})},
		"empty folder":      {Files: map[string]gitserver.File{"environments/production": {Mode: "40000", SHA: empty}}},
	} {
		got := read(t, m, Request{Commit: s.repo.Commit(change)})
		if !got.NoEnvironment {
			t.Errorf("%s: not reported", name)
		}
	}
	if got := read(t, m, Request{Commit: s.repo.Commit(gitserver.Change{Files: sample(nil)})}); got.NoEnvironment {
		t.Error("reported for an environment that is there")
	}
}

func TestReadHistory(t *testing.T) {
	s := newSite(t)
	base := s.repo.Commit(gitserver.Change{Files: sample(nil)})
	left := s.repo.Commit(gitserver.Change{Files: sample(map[string]string{"l": ""}), Author: "Left <l@example.com>"})
	right := s.repo.Commit(gitserver.Change{Files: sample(map[string]string{"r": ""}), Author: "Right <r@example.com>", Parents: []string{base}})
	merge := s.repo.Commit(gitserver.Change{Files: sample(map[string]string{"l": "", "r": ""}), Author: "Merge <m@example.com>", Parents: []string{left, right}})
	m := s.open(s.fileURL())
	got := read(t, m, Request{Commit: merge, Deployed: left})
	var names []string
	for _, person := range got.Contributors {
		if person.Role == Author {
			names = append(names, person.Name)
		}
	}
	if got.Relation != FastForward || !slices.Equal(names, []string{"Merge", "Right"}) {
		t.Errorf("merge since left: %s %v", got.Relation, names)
	}
	// A clock that was wrong in the middle does not hide that the deployed commit is an ancestor.
	deployed := s.repo.Commit(gitserver.Change{Files: sample(map[string]string{"a": ""})})
	s.repo.Commit(gitserver.Change{Files: sample(map[string]string{"b": ""}), Time: s.time("1999-01-01")})
	tip := s.repo.Commit(gitserver.Change{Files: sample(map[string]string{"c": ""}), Time: s.time("2031-01-01")})
	if got := read(t, m, Request{Commit: tip, Deployed: deployed}); got.Relation != FastForward || got.Truncated {
		t.Errorf("with wrong clocks: %s, truncated %v", got.Relation, got.Truncated)
	}
	// Rolled back with git reset: the branch is behind what is deployed.
	got = read(t, m, Request{Commit: base, Deployed: merge})
	if got.Relation != Rewritten || len(got.RewrittenAway) != 3 || len(got.Contributors) != 0 {
		t.Errorf("reset: %s, %d away, contributors %v", got.Relation, len(got.RewrittenAway), got.Contributors)
	}
}

func TestReadBoundsHistory(t *testing.T) {
	s := newSite(t)
	tree := s.repo.Tree()
	first := s.repo.Commit(gitserver.Change{Tree: tree})
	var tip string
	for range 120 {
		tip = s.repo.Commit(gitserver.Change{Tree: tree})
	}
	got := read(t, s.open(s.fileURL()), Request{Commit: first, Deployed: tip})
	if len(got.RewrittenAway) != maxRewrittenAway || got.RewrittenAway[0].SHA != tip {
		t.Errorf("%d commits, first %s", len(got.RewrittenAway), got.RewrittenAway[0].SHA)
	}
}
