package collector

import (
	"strconv"
	"time"
)

// allowance is how long a probe may take: its timeout, or less if the scrape has
// less. The scrape's time is what the header X-Prometheus-Scrape-Timeout-Seconds
// says, less the offset so that the answer is back before Prometheus hangs up, but
// no less than half of it. A header that says nothing sensible does not count.
func allowance(timeout time.Duration, header string, offset time.Duration) time.Duration {
	seconds, err := strconv.ParseFloat(header, 64)
	if err != nil || !(seconds > 0) || seconds >= (timeout+offset).Seconds() {
		return timeout
	}
	scrape := time.Duration(seconds * float64(time.Second))
	return max(1, min(timeout, max(scrape-offset, scrape/2)))
}
