package gitsync

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	advertisementType = "application/x-git-upload-pack-advertisement"
	resultType        = "application/x-git-upload-pack-result"
	maxRedirects      = 5
)

// httpRemote speaks Git's smart HTTP protocol. It remembers where the repository is after
// redirects and that the server speaks version 2, so that a poll is a single request on a
// connection that stays open.
type httpRemote struct {
	origin    *url.URL
	client    *http.Client
	maxAnswer int64

	mu sync.Mutex
	// base is the address after redirects; nil until the server was found to speak version 2.
	base *url.URL
}

func newHTTPRemote(r remote, maxAnswer int64) *httpRemote {
	return &httpRemote{
		origin:    r.base,
		maxAnswer: maxAnswer,
		client: &http.Client{
			CheckRedirect: checkRedirect,
			Transport: &http.Transport{
				Proxy:                  http.ProxyFromEnvironment,
				ForceAttemptHTTP2:      true,
				MaxIdleConns:           2,
				IdleConnTimeout:        15 * time.Minute,
				TLSHandshakeTimeout:    10 * time.Second,
				MaxResponseHeaderBytes: 64 << 10,
			},
		},
	}
}

// checkRedirect follows a redirect only on the same host, or from http to https of that host,
// and only for the first request: credentials go nowhere else.
func checkRedirect(next *http.Request, via []*http.Request) error {
	first := via[0]
	switch {
	case len(via) > maxRedirects:
		return fmt.Errorf("%w: too many redirects", ErrUnavailable)
	case first.Method != http.MethodGet:
		return fmt.Errorf("%w: it came in answer to a request with content", ErrRedirect)
	case !sameHost(first.URL, next.URL):
		return fmt.Errorf("%w: from %s to %s", ErrRedirect, first.URL.Host, next.URL.Host)
	}
	return nil
}

func sameHost(from, to *url.URL) bool {
	if from.Scheme == to.Scheme {
		return strings.EqualFold(from.Host, to.Host)
	}
	upgrade := from.Scheme == "http" && to.Scheme == "https"
	return upgrade && strings.EqualFold(from.Hostname(), to.Hostname()) && from.Port() == "" && to.Port() == ""
}

func (h *httpRemote) close() { h.client.CloseIdleConnections() }

// head implements headReader. What was remembered is forgotten after any error, so that a
// server that was replaced is met afresh.
func (h *httpRemote) head(ctx context.Context, branch string, login secrets) (string, error) {
	if base := h.known(); base != nil {
		commit, err := listBranch(ctx, h.asker(base, login), branch)
		if err == nil || errors.Is(err, ErrBranchNotFound) || errors.Is(err, ErrEmptyRepository) {
			return commit, err
		}
		h.remember(nil)
		if ctx.Err() != nil {
			return "", err
		}
	}
	scan := refScan{branch: branch}
	ad, base, err := h.discover(ctx, login, &scan)
	if err != nil {
		return "", err
	}
	if ad.version != 2 {
		return scan.result()
	}
	commit, err := listBranch(ctx, h.asker(base, login), branch)
	if err == nil {
		h.remember(base)
	}
	return commit, err
}

func (h *httpRemote) known() *url.URL {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.base
}

func (h *httpRemote) remember(base *url.URL) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.base = base
}

// discover asks what the server speaks and where the repository really is.
func (h *httpRemote) discover(ctx context.Context, login secrets, scan *refScan) (advertisement, *url.URL, error) {
	address := h.origin.JoinPath("info", "refs")
	address.RawQuery = "service=git-upload-pack"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return advertisement{}, nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	response, err := h.do(request, login, advertisementType)
	if err != nil {
		return advertisement{}, nil, err
	}
	defer response.Body.Close()
	path, ok := strings.CutSuffix(response.Request.URL.Path, "/info/refs")
	if !ok {
		return advertisement{}, nil, fmt.Errorf("%w: it does not lead to a repository", ErrRedirect)
	}
	base := *response.Request.URL
	base.Path, base.RawPath, base.RawQuery = path, "", ""
	ad, err := readAdvertisement(h.bounded(response.Body), scan)
	return ad, &base, err
}

// asker sends requests to the upload-pack service at base.
func (h *httpRemote) asker(base *url.URL, login secrets) asker {
	return func(ctx context.Context, text string) (io.ReadCloser, error) {
		return h.post(ctx, base, login, text, "version=2")
	}
}

func (h *httpRemote) post(ctx context.Context, base *url.URL, login secrets, text, protocol string) (io.ReadCloser, error) {
	address := base.JoinPath("git-upload-pack").String()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	request.Header.Set("Content-Type", "application/x-git-upload-pack-request")
	request.Header.Set("Accept", resultType)
	if protocol != "" {
		request.Header.Set("Git-Protocol", protocol)
	}
	response, err := h.do(request, login, resultType) //nolint:bodyclose // the caller closes it
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{h.bounded(response.Body), response.Body}, nil
}

func (h *httpRemote) bounded(body io.Reader) io.Reader {
	return &boundedReader{from: body, left: h.maxAnswer}
}

// do sends a request and accepts only the expected kind of answer.
func (h *httpRemote) do(request *http.Request, login secrets, contentType string) (*http.Response, error) {
	request.Header.Set("User-Agent", "git/honua")
	if request.Method == http.MethodGet {
		request.Header.Set("Git-Protocol", "version=2")
	}
	if login.username != "" || login.password != "" {
		request.SetBasicAuth(login.username, login.password)
	}
	response, err := h.client.Do(request) //nolint:gosec // the configured repository is what is asked
	if err != nil {
		return nil, requestError(err)
	}
	if err := checkStatus(response, contentType); err != nil {
		response.Body.Close()
		return nil, err
	}
	return response, nil
}

// requestError keeps our own errors and drops the address from the others.
func requestError(err error) error {
	var known *failure
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if errors.As(err, &known) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

func checkStatus(response *http.Response, contentType string) error {
	switch code := response.StatusCode; {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return fmt.Errorf("%w: HTTP status %d", ErrAuth, code)
	case code == http.StatusNotFound || code == http.StatusGone:
		return fmt.Errorf("%w: HTTP status %d: no such repository, or no access to it", ErrUnavailable, code)
	case code >= 300 && code < 400:
		return fmt.Errorf("%w: HTTP status %d", ErrRedirect, code)
	case code != http.StatusOK:
		return fmt.Errorf("%w: HTTP status %d", ErrUnavailable, code)
	}
	got, _, _ := strings.Cut(response.Header.Get("Content-Type"), ";")
	if got != contentType {
		return fmt.Errorf("%w: content type %q is not that of a Git server", ErrGarbage, printable(got))
	}
	return nil
}
