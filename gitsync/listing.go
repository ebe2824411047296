package gitsync

import (
	"context"
	"io"
)

// asker sends one version 2 request and returns the answer.
type asker func(ctx context.Context, request string) (io.ReadCloser, error)

// listBranch asks for one branch; only if it is not there, it asks whether there is any other,
// to tell a deleted branch from an empty repository.
func listBranch(ctx context.Context, ask asker, branch string) (string, error) {
	scan := refScan{branch: branch}
	for _, prefix := range []string{"refs/heads/" + branch, "refs/heads/"} {
		if err := listInto(ctx, ask, prefix, &scan); err != nil {
			return "", err
		}
		if scan.commit != "" || scan.others {
			break
		}
	}
	return scan.result()
}

func listInto(ctx context.Context, ask asker, prefix string, scan *refScan) error {
	answer, err := ask(ctx, listRequest(prefix))
	if err != nil {
		return err
	}
	defer answer.Close()
	return readListing(answer, scan)
}
