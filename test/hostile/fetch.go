package hostile

import (
	"net/http"
	"strings"

	"github.com/honua-io/honua-gitops/gitsync"
	"github.com/honua-io/honua-gitops/test/gitserver"
)

func fetchCases() []Case {
	step := gitserver.Fetch
	small := func(l *gitsync.Limits) { l.MaxTransferBytes = 1 << 20 }
	flood := func(name, text, code string) Case {
		c := answer(Floods, step, name, gitserver.Prefix(line("packfile"), gitserver.Flood(text)), code)
		c.Limits = small
		return c
	}
	return []Case{
		answer(Refuses, step, "status 503", gitserver.Status(503), "repository_unavailable"),
		answer(Refuses, step, "endless 401", gitserver.Status(401), "authentication_failed"),
		answer(Refuses, step, "error in the pack", gitserver.Body(line("packfile")+line("\x03go away")), "repository_unavailable"),
		answer(Stalls, step, "no answer", gitserver.Hang(), "fetch_timeout"),
		answer(Stalls, step, "a byte at a time", gitserver.Drip(), "fetch_timeout"),
		answer(Stalls, step, "half a pack", gitserver.Stall(120), "fetch_timeout"),
		flood("progress without end", line("\x02counting objects"), "transfer_too_large"),
		flood("a pack without end", line("\x01"+strings.Repeat("PACK", 4000)), "garbage_answer|transfer_too_large"),
		{Class: Floods, Phase: Fetch, Name: "sections without end", Code: "transfer_too_large", Limits: small, Attack: func(s *Site) {
			s.Server.Behave(step, gitserver.Flood(line("acknowledgments")))
			s.Push(nil)
		}},
		answer(Redirects, step, "another host", gitserver.Redirect("http://127.0.0.1:1", http.StatusTemporaryRedirect), "redirect_refused"),
		answer(Redirects, step, "to a GET elsewhere", gitserver.Redirect("http://127.0.0.1:1", http.StatusSeeOther), "redirect_refused"),
		answer(Garbage, step, "a page", gitserver.Page(), "garbage_answer"),
		answer(Garbage, step, "text", gitserver.Body("hello, world"), "garbage_answer"),
		answer(Garbage, step, "unknown channel", gitserver.Body(line("packfile")+line("\x09go away")), "garbage_answer"),
		answer(Empty, step, "nothing", gitserver.Body(""), "garbage_answer"),
		answer(Empty, step, "flush only", gitserver.Body("0000"), "garbage_answer"),
		answer(Empty, step, "no pack", gitserver.Body(line("packfile")+"0000"), "garbage_answer"),
		answer(Empty, step, "empty packets", gitserver.Body(line("packfile")+"0004"), "garbage_answer"),
		answer(Truncated, step, "in the header", gitserver.Truncate(30), "garbage_answer"),
		answer(Truncated, step, "in an object", gitserver.Truncate(300), "garbage_answer"),
		answer(Truncated, step, "before the checksum", gitserver.TruncateTail(30), "garbage_answer"),
		answer(Corrupt, step, "in the frame", gitserver.Corrupt(3), "garbage_answer"),
		{Class: Missing, Phase: Fetch, Name: "commit that nobody has", Code: "commit_not_found", Attack: func(s *Site) {
			s.Server.Behave(gitserver.List, gitserver.Body(line(strings.Repeat("1", 40)+" refs/heads/main")+"0000"))
		}},
		{Class: Missing, Phase: Fetch, Name: "another commit's pack", Code: "commit_not_found", Attack: func(s *Site) {
			s.Push(nil)
			s.Server.Behave(step, gitserver.SendPack(gitserver.NewPack().Whole("blob", []byte("something else")).Bytes()))
		}},
		answer(Foreign, step, "shallow", gitserver.Body(line("shallow-info")+line("shallow "+strings.Repeat("b", 40))+"0001"), "unsupported_repository"),
	}
}
