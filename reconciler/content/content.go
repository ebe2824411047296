// Package content is what a deployment's bundle holds: an environment's files
// and its normalised policy. The leader half makes contents, the node half
// opens them.
package content

import (
	"github.com/honua-io/honua-gitops/fsm/bundle"
	"github.com/honua-io/honua-gitops/reconciler/catalog"
)

// policyPath is where a content keeps its normalised policy. No file of an
// environment can be there: their paths begin with environments/.
const policyPath = ".policy/deployment-policy.json"

// Content is an opened bundle.
type Content struct {
	// Files are of environments/<environment>/ and environments/common/, sorted by path.
	Files []catalog.File
	// Policy is the normalised policy; nil if the repository has none for the environment.
	Policy []byte
}

// Encode makes the canonical bytes of a content and the digest that names it,
// SHA-256 in lower-case hexadecimal.
func Encode(c Content) (encoded []byte, digest string, err error) {
	files := make([]bundle.File, 0, len(c.Files)+1)
	for _, f := range c.Files {
		files = append(files, bundle.File{Path: f.Path, Content: f.Content})
	}
	if c.Policy != nil {
		files = append(files, bundle.File{Path: policyPath, Content: c.Policy})
	}
	encoded, err = bundle.Encode(files)
	if err != nil {
		return nil, "", err
	}
	return encoded, bundle.Digest(encoded), nil
}

// Decode opens canonical bytes.
func Decode(encoded []byte) (Content, error) {
	files, err := bundle.Decode(encoded)
	if err != nil {
		return Content{}, err
	}
	var c Content
	for _, f := range files {
		if f.Path == policyPath {
			c.Policy = f.Content
			continue
		}
		c.Files = append(c.Files, catalog.File{Path: f.Path, Content: f.Content})
	}
	return c, nil
}

// Unpack opens a compressed content of a known size.
func Unpack(compressed []byte, rawSize int64) (Content, error) {
	encoded, err := bundle.Decompress(compressed, rawSize, rawSize)
	if err != nil {
		return Content{}, err
	}
	return Decode(encoded)
}
