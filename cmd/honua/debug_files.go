package main

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/honua-io/honua-gitops/internal/buildinfo"
	"github.com/honua-io/honua-gitops/internal/config"
	"github.com/honua-io/honua-gitops/internal/support"
)

// Bounds of what a support bundle takes of one node's disk.
const (
	bundledViews   = 50
	bundledJournal = 256 << 10
	// checksTimeout bounds the checks, which ask other nodes for the time.
	checksTimeout = 5 * time.Second
)

// diskFiles are what a support bundle has of a node's configuration and files;
// they are there whether the node runs or not. file is its appsettings.json.
func diskFiles(ctx context.Context, file string, c *config.Config) iter.Seq[support.File] {
	parts := []func() support.File{
		func() support.File { return support.JSON("version.json", buildinfo.Get()) },
		func() support.File { return support.JSON("configuration.json", c.Values()) },
		func() support.File { return support.JSON("checks.json", checksOf(ctx, file, c)) },
		func() support.File { return listing(c) },
		func() support.File {
			return support.Tail("journal.jsonl", filepath.Join(c.Cluster.DataDirectory, "journal.jsonl"), bundledJournal)
		},
	}
	return func(yield func(support.File) bool) {
		for _, part := range parts {
			if !yield(part()) {
				return
			}
		}
		for name, dir := range map[string]string{"state": c.GitOps.StateDirectory, "approvals": c.GitOps.ApprovalDirectory} {
			for view := range views(name, dir) {
				if !yield(view) {
					return
				}
			}
		}
	}
}

// checksOf is what `honua config check` says on this machine.
func checksOf(ctx context.Context, file string, c *config.Config) configView {
	bounded, cancel := context.WithTimeout(ctx, checksTimeout)
	defer cancel()
	home, err := os.UserHomeDir()
	if err != nil {
		home = "" // then there are no known hosts to look for
	}
	d := doctor{file: file, config: c, now: time.Now(), home: home}
	d.examine(bounded)
	return configView{
		File: file, Valid: len(d.problems) == 0,
		Problems: append([]configFlaw{}, d.problems...), Warnings: append(flaws(c.Warnings), d.warnings...),
	}
}

// listing names the files of the node, without what is in them.
func listing(c *config.Config) support.File {
	var all []support.Entry
	var problems []error
	for _, dir := range []string{c.Cluster.DataDirectory, c.GitOps.StateDirectory, c.GitOps.ApprovalDirectory} {
		entries, err := support.List(dir)
		all = append(all, entries...)
		problems = append(problems, err)
	}
	file := support.JSON("files.json", all)
	file.Err = errors.Join(append(problems, file.Err)...)
	return file
}

// views are the newest state or approval files of a folder.
func views(name, dir string) iter.Seq[support.File] {
	return func(yield func(support.File) bool) {
		found, err := os.ReadDir(dir)
		if err != nil {
			yield(support.File{Name: name, Err: err})
			return
		}
		found = slices.DeleteFunc(found, func(e fs.DirEntry) bool {
			return !e.Type().IsRegular() || !strings.HasSuffix(e.Name(), ".json") || strings.HasPrefix(e.Name(), ".")
		})
		slices.SortFunc(found, func(a, b fs.DirEntry) int { return cmp.Compare(modified(b), modified(a)) })
		for _, e := range found[:min(len(found), bundledViews)] {
			if !yield(support.Tail(name+"/"+e.Name(), filepath.Join(dir, e.Name()), support.MaxFileBytes)) {
				return
			}
		}
	}
}

// modified is when a file was written last; 0 if it vanished meanwhile.
func modified(e fs.DirEntry) int64 {
	info, err := e.Info()
	if err != nil {
		return 0
	}
	return info.ModTime().UnixNano()
}

// scrubbed takes secrets out of files.
func scrubbed(files iter.Seq[support.File], scrubber *support.Scrubber) iter.Seq[support.File] {
	return func(yield func(support.File) bool) {
		for file := range files {
			file.Content = scrubber.Scrub(file.Content)
			if file.Err != nil {
				file.Err = errors.New(string(scrubber.Scrub([]byte(file.Err.Error()))))
			}
			if !yield(file) {
				return
			}
		}
	}
}
