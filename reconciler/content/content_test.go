package content_test

import (
	"bytes"
	"testing"

	"github.com/honua-io/honua-gitops/fsm/bundle"
	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/content"
)

func files() []catalog.File {
	return []catalog.File{
		{Path: "environments/common/shared.json", Content: []byte("{}")},
		{Path: "environments/prod/metadata.json", Content: []byte(`{"services": []}`)},
	}
}

func TestContentSurvives(t *testing.T) {
	for name, policy := range map[string][]byte{"without policy": nil, "with policy": []byte(`{"a":1}`)} {
		t.Run(name, func(t *testing.T) {
			encoded, digest, err := content.Encode(content.Content{Files: files(), Policy: policy})
			if err != nil {
				t.Fatal(err)
			}
			opened, err := content.Unpack(bundle.Compress(encoded), int64(len(encoded)))
			if err != nil {
				t.Fatal(err)
			}
			if digest != bundle.Digest(encoded) || !bytes.Equal(opened.Policy, policy) || (policy == nil) != (opened.Policy == nil) {
				t.Fatalf("it opens as %+v", opened)
			}
			for i, f := range opened.Files {
				if want := files()[i]; f.Path != want.Path || !bytes.Equal(f.Content, want.Content) {
					t.Fatalf("file %d is %s", i, f.Path)
				}
			}
		})
	}
}

// I6: a content is known by its digest, so everything that it means is in it.
func TestI6DigestCoversThePolicy(t *testing.T) {
	seen := map[string]bool{}
	for _, policy := range [][]byte{nil, []byte("{}"), []byte(`{"a":1}`)} {
		_, digest, err := content.Encode(content.Content{Files: files(), Policy: policy})
		if err != nil || seen[digest] {
			t.Fatalf("digest %s, error %v", digest, err)
		}
		seen[digest] = true
	}
}

func TestDamage(t *testing.T) {
	if _, err := content.Decode([]byte("garbage")); err == nil {
		t.Fatal("garbage opens")
	}
	encoded, _, err := content.Encode(content.Content{Files: files()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := content.Unpack(bundle.Compress(encoded), int64(len(encoded))-1); err == nil {
		t.Fatal("a content of another size opens")
	}
	if _, _, err := content.Encode(content.Content{Files: append(files(), files()...)}); err == nil {
		t.Fatal("a file may be in a content once")
	}
}
