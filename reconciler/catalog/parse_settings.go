package catalog

import (
	"net/url"
	"strings"
	"time"
)

const (
	maxLimit     = 1_000_000
	maxPreflight = 24 * 60 * 60       // seconds that browsers keep a preflight at most
	maxCaching   = 365 * 24 * 60 * 60 // seconds
)

// readSettings reads the environment's settings over the shared ones, then checks them together.
func (p *parser) readSettings() {
	if root, _, ok := p.open(AppSettingsPath(p.model.Environment)); ok {
		p.settings(root)
	}
	p.checkLimits()
	p.checkCors()
}

// settings reads an object of sections into the model's settings; what it says replaces what was said before.
func (p *parser) settings(v value) {
	s := &p.model.Settings
	for name, section := range v.members() {
		switch string(name) {
		case "Ogc":
			p.ogc(section)
		case "Cors":
			p.cors(section)
		case "ResponseCaching":
			p.caching(section)
		default:
			if word := serverSection(string(name)); word != "" {
				section.fail(CodeForbidden, "%s is each server's own and may not be set in Git; set it in the appsettings.json on each node", word)
				continue
			}
			s.Extra = section.keep(s.Extra, "Ogc", "Cors", "ResponseCaching")
			p.said(section, string(name))
		}
	}
}

// serverSection is the section that Git may not hold which a name stands for, also in the flat forms in which .NET
// writes paths: GitOps:Watcher:Branch, GitOps__Watcher__Branch.
func serverSection(name string) string {
	first, _, _ := strings.Cut(name, ":")
	first, _, _ = strings.Cut(first, "__")
	return spelled(first, []string{"GitOps", "Cluster", "Api"})
}

// said notes where a setting was given, and which weaker file's word it replaces.
func (p *parser) said(v value, name string) {
	s := &p.model.Settings
	if s.Sources == nil {
		s.Sources = map[string]Position{}
	}
	if before, twice := s.Sources[name]; twice && before.File != v.doc.file {
		if s.Overridden == nil {
			s.Overridden = map[string]Position{}
		}
		s.Overridden[name] = before
	}
	s.Sources[name] = v.position()
}

func (p *parser) ogc(v value) {
	s := &p.model.Settings.Ogc
	for name, member := range v.members() {
		p.said(member, "Ogc."+string(name))
		switch string(name) {
		case "DefaultLimit":
			s.DefaultLimit = bounded(member, 1, maxLimit, s.DefaultLimit)
		case "MaxLimit":
			s.MaxLimit = bounded(member, 1, maxLimit, s.MaxLimit)
		default:
			s.Extra = member.keep(s.Extra, "DefaultLimit", "MaxLimit")
		}
	}
}

func (p *parser) cors(v value) {
	s := &p.model.Settings.Cors
	for name, member := range v.members() {
		p.said(member, "Cors."+string(name))
		switch string(name) {
		case "Enabled":
			s.Enabled = member.boolean()
		case "AllowedOrigins":
			s.AllowedOrigins = texts(member, validOrigin, `an origin: "*" or scheme://host[:port]`)
		case "AllowedMethods":
			s.AllowedMethods = texts(member, validMethod, "an HTTP method in capital letters")
		case "AllowedHeaders":
			s.AllowedHeaders = texts(member, validHeader, `a header's name or "*"`)
		case "ExposedHeaders":
			s.ExposedHeaders = texts(member, validHeader, `a header's name or "*"`)
		case "AllowCredentials":
			s.AllowCredentials = member.boolean()
		case "MaxAgeSeconds":
			s.MaxAge = seconds(member, maxPreflight, s.MaxAge)
		default:
			s.Extra = member.keep(s.Extra, "Enabled", "AllowedOrigins", "AllowedMethods", "AllowedHeaders",
				"ExposedHeaders", "AllowCredentials", "MaxAgeSeconds")
		}
	}
}

func (p *parser) caching(v value) {
	s := &p.model.Settings.ResponseCaching
	for name, member := range v.members() {
		p.said(member, "ResponseCaching."+string(name))
		switch string(name) {
		case "Enabled":
			s.Enabled = member.boolean()
		case "MaxAgeSeconds":
			s.MaxAge = seconds(member, maxCaching, s.MaxAge)
		case "Public":
			s.Public = member.boolean()
		default:
			s.Extra = member.keep(s.Extra, "Enabled", "MaxAgeSeconds", "Public")
		}
	}
}

// checkLimits keeps the default page within the largest one: a default that nobody gave follows it, and so does the
// shared one where the environment says how large pages may be; another one that exceeds it is an error.
func (p *parser) checkLimits() {
	s := &p.model.Settings
	if s.Ogc.DefaultLimit <= s.Ogc.MaxLimit {
		return
	}
	position, given := s.Sources["Ogc.DefaultLimit"]
	if weaker := position.File == SharedConfigPath && originOf(s.Sources["Ogc.MaxLimit"]) == FromEnvironment; given && !weaker {
		p.problems.add(Problem{
			Position: position, Field: "Ogc.DefaultLimit", Code: CodeOutOfRange, Message: "must not exceed Ogc.MaxLimit",
		})
	}
	s.Ogc.DefaultLimit = s.Ogc.MaxLimit
}

func (p *parser) checkCors() {
	s := &p.model.Settings
	if s.Cors.Enabled && len(s.Cors.AllowedOrigins) == 0 {
		p.problems.add(Problem{
			Position: s.Sources["Cors.Enabled"], Field: "Cors.Enabled", Code: CodeMissing,
			Message: "needs Cors.AllowedOrigins",
		})
	}
	if s.Cors.AllowCredentials && spelled("*", s.Cors.AllowedOrigins) != "" {
		p.problems.add(Problem{
			Position: s.Sources["Cors.AllowCredentials"], Field: "Cors.AllowCredentials", Code: CodeInvalid,
			Message: `must not be true together with the origin "*"`,
		})
	}
}

// bounded is the whole number of v, or what was before if it is none.
func bounded(v value, least, most, before int) int {
	if n, ok := v.integer(least, most); ok {
		return n
	}
	return before
}

func seconds(v value, most int, before time.Duration) time.Duration {
	if n, ok := v.integer(0, most); ok {
		return time.Duration(n) * time.Second
	}
	return before
}

// texts reads a list of strings that must each be valid.
func texts(v value, valid func(string) bool, what string) []string {
	list := []string{}
	for element := range v.elements() {
		text := element.text()
		if element.kind() == kindString && !valid(text) {
			element.fail(CodeInvalid, "%s is not %s", shorten(text), what)
		}
		list = append(list, text)
	}
	return list
}

func validOrigin(text string) bool {
	if text == "*" {
		return true
	}
	origin, err := url.Parse(text)
	return err == nil && origin.Host != "" && origin.Scheme+"://"+origin.Host == text
}

func validMethod(text string) bool {
	return text != "" && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func validHeader(text string) bool {
	return text == "*" || text != "" && strings.IndexFunc(text, func(r rune) bool {
		return r > 0x7e || !(isLetter(byte(r)) || isDigit(byte(r)) || r == '-' || r == '_')
	}) < 0
}
