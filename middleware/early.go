package middleware

import "time"

// refreshesEarly tells whether a hit on v at now has it refreshed, where v is fresh;
// draw is from the exponential distribution of mean 1.
func (p *Policy) refreshesEarly(v *response, now instant, draw float64) bool {
	beta := p.Advanced.EarlyRefresh
	return beta > 0 && !v.isPart() && v.windows.Early(v.age(now), v.cost(), draw*beta)
}

// unlikely is more than what is drawn once in a hundred million times.
const unlikely = 18

// cost is how long the handler took. That of a response that was under way for a
// while before is not known: 0.
func (r *response) cost() time.Duration { return r.born.since(r.started) }
