package gitsync

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
)

const (
	environmentsFolder = "environments"
	commonFolder       = "common"
	policyFolder       = ".gitops"
	policyFile         = "deployment-policy.yaml"
	maxPolicyBytes     = 1 * mib
)

// roots are the parts of a commit that an environment is made of; zero hashes do not exist.
type roots struct {
	environment, common, policy plumbing.Hash
}

// roots finds the parts for an environment in a commit's tree.
func (o *objects) roots(tree plumbing.Hash, environment string) (roots, error) {
	var r roots
	environments, err := o.folder(tree, "", environmentsFolder)
	if err != nil {
		return r, err
	}
	if r.environment, err = o.folder(environments, environmentsFolder, environment); err != nil {
		return r, err
	}
	if r.common, err = o.folder(environments, environmentsFolder, commonFolder); err != nil {
		return r, err
	}
	gitops, err := o.folder(tree, "", policyFolder)
	if err != nil || gitops.IsZero() {
		return r, err
	}
	entries, err := o.tree(gitops, policyFolder)
	if err != nil {
		return r, err
	}
	entry, ok, err := lookup(entries, policyFolder, policyFile)
	if err != nil || !ok {
		return r, err
	}
	if !isFile(entry.Mode) {
		return r, reject(policyFolder+"/"+policyFile, kindProblem(entry.Mode))
	}
	r.policy = entry.Hash
	return r, nil
}

func isFile(mode filemode.FileMode) bool {
	return mode == filemode.Regular || mode == filemode.Executable || mode == filemode.Deprecated
}

// collector gathers an environment's files within the limits. A limit that is passed is a
// RejectedTreeError that names the path; an object that cannot be read is never skipped.
type collector struct {
	store  *objects
	limits Limits
	gather gathering
}

// folder collects a folder and everything below it.
func (c *collector) folder(ctx context.Context, hash plumbing.Hash, path string, depth int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if hash.IsZero() {
		return nil
	}
	entries, err := c.store.tree(hash, path)
	if err != nil {
		return err
	}
	if err := c.gather.enter(path, depth); err != nil {
		return err
	}
	names := map[string]string{}
	for _, entry := range entries {
		full := joinPath(path, entry.Name)
		if err := checkName(names, full, entry.Name); err != nil {
			return err
		}
		switch {
		case entry.Mode == filemode.Dir:
			err = c.folder(ctx, entry.Hash, full, depth+1)
		case isFile(entry.Mode):
			err = c.file(entry.Hash, full)
		default:
			err = reject(full, kindProblem(entry.Mode))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *collector) file(hash plumbing.Hash, path string) error {
	if err := c.gather.room(path, 0); err != nil {
		return err
	}
	content, err := c.store.blob(hash, path, c.limits.MaxFileBytes)
	if err != nil {
		return err
	}
	return c.gather.add(path, content)
}

// blob reads a file's content.
func (o *objects) blob(hash plumbing.Hash, path string, limit int64) ([]byte, error) {
	content, err := o.read(hash, plumbing.BlobObject, limit)
	if errors.Is(err, errTooLarge) {
		return nil, reject(path, fmt.Sprintf("is larger than %d bytes", limit))
	}
	if err != nil {
		return nil, err
	}
	return content, checkContent(path, content)
}

// checkContent refuses a pointer of Git LFS: what it stands for is not in the repository.
func checkContent(path string, content []byte) error {
	if bytes.HasPrefix(content, []byte("version https://git-lfs.github.com/spec/")) {
		return reject(path, "is a Git LFS pointer; store the file itself")
	}
	return nil
}

// checkName refuses names that cannot be trusted, and names that are the same as another one
// in their folder on some file system.
func checkName(names map[string]string, path, name string) error {
	if problem := nameProblem(name); problem != "" {
		return reject(path, problem)
	}
	if len(path) > maxPathBytes {
		return reject(path, fmt.Sprintf("has a path longer than %d bytes", maxPathBytes))
	}
	folded := foldName(name)
	if other, ok := names[folded]; ok {
		return reject(path, fmt.Sprintf("differs from %q in case or composition only", other))
	}
	names[folded] = name
	return nil
}

// gathering is the list of files with its budgets.
type gathering struct {
	limits  Limits
	files   []File
	bytes   int64
	folders int
}

// enter counts a folder: empty ones cost as well.
func (g *gathering) enter(path string, depth int) error {
	if depth > maxDepth {
		return reject(path, fmt.Sprintf("is nested deeper than %d folders", maxDepth))
	}
	if g.folders++; g.folders > g.limits.MaxFiles {
		return reject(path, fmt.Sprintf("is one of more than %d folders", g.limits.MaxFiles))
	}
	return nil
}

// room reports whether one more file of that size would fit.
func (g *gathering) room(path string, size int64) error {
	if len(g.files) >= g.limits.MaxFiles {
		return reject(path, fmt.Sprintf("is one of more than %d files", g.limits.MaxFiles))
	}
	if g.bytes+size > g.limits.MaxBundleBytes {
		return reject(path, fmt.Sprintf("makes the environment larger than %d bytes", g.limits.MaxBundleBytes))
	}
	return nil
}

func (g *gathering) add(path string, content []byte) error {
	if err := g.room(path, int64(len(content))); err != nil {
		return err
	}
	g.bytes += int64(len(content))
	g.files = append(g.files, File{Path: path, Content: content})
	return nil
}

func (g *gathering) sorted() []File {
	sort.Slice(g.files, func(a, b int) bool { return strings.Compare(g.files[a].Path, g.files[b].Path) < 0 })
	return g.files
}
