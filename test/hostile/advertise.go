package hostile

import (
	"net/http"
	"strings"

	"github.com/honua-io/honua-gitops/test/gitserver"
)

// answer is a case in which the server answers in some way of its own when it is asked in a step of the protocol.
func answer(class Class, step gitserver.Phase, name string, behaviour gitserver.Behaviour, code string) Case {
	phase := Advertise
	if step == gitserver.Fetch {
		phase = Fetch
	}
	return Case{Class: class, Phase: phase, Name: name, Code: code, Slow: class == Stalls, Attack: func(s *Site) {
		s.Server.Behave(step, behaviour)
		switch step {
		case gitserver.Fetch:
			s.Push(nil)
		case gitserver.Advertise: // those who know the server would not ask again what it speaks
			s.Server.Behave(gitserver.List, gitserver.Status(http.StatusBadGateway))
		}
	}}
}

func line(text string) string { return gitserver.Line(text) }

// capabilities is what a server of protocol version 2 says first.
func capabilities(more ...string) string {
	return line("version 2") + line("ls-refs") + line("fetch") + strings.Join(more, "") + "0000"
}

var elsewhere = strings.Repeat("a", 40) + " refs/heads/elsewhere"

// flooded: a head is asked for within bounds of size and of time, and which is met first depends on the machine.
const flooded = "transfer_too_large|fetch_timeout"

func advertiseCases() []Case {
	first, list := gitserver.Advertise, gitserver.List
	nothing := strings.Repeat("0", 40) + " capabilities^{}\x00side-band-64k"
	return []Case{
		answer(Refuses, first, "status 500", gitserver.Status(500), "repository_unavailable"),
		answer(Refuses, first, "not found", gitserver.Status(404), "repository_unavailable"),
		answer(Refuses, first, "endless 401", gitserver.Status(401), "authentication_failed"),
		answer(Refuses, first, "forbidden", gitserver.Status(403), "authentication_failed"),
		answer(Refuses, first, "error line", gitserver.Body(line("ERR go away")), "repository_unavailable"),
		answer(Refuses, list, "status 429 when listing", gitserver.Status(429), "repository_unavailable"),
		answer(Stalls, first, "no answer", gitserver.Hang(), "fetch_timeout"),
		answer(Stalls, list, "no list", gitserver.Hang(), "fetch_timeout"),
		answer(Stalls, list, "a byte at a time", gitserver.Drip(), "fetch_timeout"),
		answer(Floods, first, "refs without end", gitserver.Flood(line(elsewhere)), flooded),
		answer(Floods, first, "capabilities without end", gitserver.Prefix(line("version 2"), gitserver.Flood(line("x="+strings.Repeat("y", 1000)))), flooded),
		answer(Floods, list, "list without end", gitserver.Flood(line(elsewhere)), flooded),
		answer(Redirects, first, "another host", gitserver.Redirect("http://127.0.0.1:1", http.StatusFound), "redirect_refused"),
		answer(Redirects, first, "another scheme", gitserver.Redirect("ftp://127.0.0.1", http.StatusMovedPermanently), "redirect_refused"),
		answer(Redirects, list, "another host when listing", gitserver.Redirect("http://127.0.0.1:1", http.StatusTemporaryRedirect), "redirect_refused"),
		answer(Garbage, first, "a page", gitserver.Page(), "garbage_answer"),
		answer(Garbage, first, "text", gitserver.Body("hello, world"), "garbage_answer"),
		answer(Garbage, first, "a line of 64 KiB", gitserver.Body("ffff"+strings.Repeat("x", 65535)), "garbage_answer"),
		answer(Garbage, list, "two heads", gitserver.Body(line(strings.Repeat("a", 40)+" refs/heads/main")+line(strings.Repeat("b", 40)+" refs/heads/main")+"0000"), "garbage_answer"),
		answer(Garbage, list, "no object name", gitserver.Body(line("HEAD refs/heads/main")+"0000"), "garbage_answer"),
		answer(Empty, first, "nothing", gitserver.Body(""), "garbage_answer"),
		answer(Empty, first, "no refs", gitserver.Body(line("# service=git-upload-pack")+"0000"+line(nothing)+"0000"), "empty_repository"),
		answer(Empty, first, "empty lines", gitserver.Body("00040004"), "garbage_answer"),
		answer(Empty, list, "empty list", gitserver.Body("0000"), "empty_repository"),
		answer(Truncated, first, "without end", gitserver.TruncateTail(4), "garbage_answer"),
		answer(Truncated, list, "list without end", gitserver.TruncateTail(4), "garbage_answer"),
		answer(Truncated, list, "half a list", gitserver.Truncate(20), "garbage_answer"),
		answer(Corrupt, first, "flipped bits", gitserver.Corrupt(2), "garbage_answer"),
		answer(Corrupt, list, "flipped bits in a name", gitserver.Corrupt(10), "garbage_answer"),
		answer(Missing, list, "branch is gone", gitserver.Body(line(elsewhere)+"0000"), "branch_not_found"),
		answer(Missing, first, "no fetch command", gitserver.Body(line("version 2")+line("ls-refs")+"0000"), "garbage_answer"),
		answer(Oversized, first, "too many capabilities", gitserver.Body(capabilities(strings.Repeat("0008abcd", 1)+many(300))), "garbage_answer"),
		answer(Names, list, "control characters in a ref", gitserver.Body(line("\x1b[2J\u202e refs/heads/main")+"0000"), "garbage_answer"),
		answer(Foreign, first, "SHA-256", gitserver.Body(capabilities(line("object-format=sha256"))), "unsupported_repository"),
		answer(Foreign, list, "SHA-256 names", gitserver.Body(line(strings.Repeat("a", 64)+" refs/heads/main")+"0000"), "unsupported_repository"),
		answer(Foreign, first, "shallow", gitserver.Body(line(strings.Repeat("a", 40)+" refs/heads/x\x00y")+line("shallow "+strings.Repeat("b", 40))+"0000"), "unsupported_repository"),
	}
}

// many are so many capabilities, each another one.
func many(n int) string {
	var text strings.Builder
	for i := range n {
		text.WriteString(line("c" + strings.Repeat("x", i)))
	}
	return text.String()
}
