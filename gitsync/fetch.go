package gitsync

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// source is a remote that packs are fetched from.
type source interface {
	// fetch returns a pack with everything that leads to commit and to none of haves. A server
	// of protocol version 0 gives out branch heads only, so there the pack is that of the branch.
	fetch(ctx context.Context, branch, commit string, haves []string) (io.ReadCloser, error)
	close()
}

func newSource(r remote, login secrets, maxBytes int64) (source, error) {
	switch r.scheme {
	case "ssh":
		return sshSource{remote: r, login: login, maxBytes: maxBytes}, nil
	case "http", "https":
		return httpSource{httpRemote: newHTTPRemote(r, maxBytes), login: login}, nil
	}
	return nil, fmt.Errorf("%w: nothing to fetch for %s", ErrConfig, r.scheme)
}

// httpSource fetches over HTTP.
type httpSource struct {
	*httpRemote
	login secrets
}

func (h httpSource) fetch(ctx context.Context, branch, commit string, haves []string) (io.ReadCloser, error) {
	scan := refScan{branch: branch}
	ad, base, err := h.discover(ctx, h.login, &scan)
	if err != nil {
		return nil, err
	}
	request, err := fetchRequest(ad, &scan, commit, haves)
	if err != nil {
		return nil, err
	}
	protocol := ""
	if ad.version == 2 {
		protocol = "version=2"
	}
	answer, err := h.post(ctx, base, h.login, request, protocol)
	if err != nil {
		return nil, err
	}
	pack, err := openPack(answer, ad)
	if err != nil {
		answer.Close()
		return nil, err
	}
	return packStream{pack, answer.Close}, nil
}

// sshSource fetches over SSH.
type sshSource struct {
	remote   remote
	login    secrets
	maxBytes int64
}

func (s sshSource) close() {}

func (s sshSource) fetch(ctx context.Context, branch, commit string, haves []string) (io.ReadCloser, error) {
	session, err := dialSSH(ctx, s.remote, s.login)
	if err != nil {
		return nil, err
	}
	pack, err := s.ask(ctx, session, branch, commit, haves)
	if err != nil {
		err = session.explain(err)
		session.close()
		return nil, err
	}
	return packStream{pack, func() error { session.close(); return nil }}, nil
}

func (s sshSource) ask(ctx context.Context, session *sshSession, branch, commit string, haves []string) (io.Reader, error) {
	scan := refScan{branch: branch}
	bounded := &boundedReader{from: session.out, left: s.maxBytes}
	ad, err := readAdvertisement(bounded, &scan)
	if err != nil {
		return nil, err
	}
	request, err := fetchRequest(ad, &scan, commit, haves)
	if err != nil {
		return nil, err
	}
	if _, err := session.ask(ctx, request); err != nil {
		return nil, err
	}
	return openPack(bounded, ad)
}

// fetchRequest asks for a pack in one round: all that we have, then "done".
func fetchRequest(ad advertisement, scan *refScan, commit string, haves []string) (string, error) {
	var w pktWriter
	if ad.version == 2 {
		w.line("command=fetch")
		w.line("agent=honua")
		w.line("object-format=sha1")
		w.delim()
		w.line("ofs-delta")
		w.line("no-progress")
		w.line("want %s", commit)
		writeHaves(&w, haves)
		w.flush()
		return w.String(), nil
	}
	head, err := scan.result()
	if err != nil {
		return "", err
	}
	wanted := []string{"want " + head}
	for _, capability := range []string{"ofs-delta", "side-band-64k", "no-progress"} {
		if _, ok := ad.capabilities[capability]; ok {
			wanted = append(wanted, capability)
		}
	}
	w.line("%s agent=honua", strings.Join(wanted, " "))
	w.flush()
	writeHaves(&w, haves)
	return w.String(), nil
}

func writeHaves(w *pktWriter, haves []string) {
	for _, have := range haves {
		w.line("have %s", have)
	}
	w.line("done")
}
