package hmpsim_test

import (
	"fmt"
	"io"
	"net/http"

	"hmp_exporter/internal/hmpsim"
)

func Example() {
	sim := hmpsim.New()
	sim.SetToken("playout-token", hmpsim.Valid(hmpsim.ExampleSession()))
	hmp, err := sim.Start(hmpsim.ListenConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer hmp.Close()

	for _, token := range []string{"playout-token", "unknown-token"} {
		req, _ := http.NewRequest(http.MethodGet, hmp.URL+hmpsim.Endpoint, nil)
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			fmt.Println(err)
			return
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		fmt.Printf("%s: %s %.22s…\n", token, resp.Status, body)
	}
	// Output:
	// playout-token: 200 OK {"data":{"admin":true,…
	// unknown-token: 401 Unauthorized {"code":"020001","name…
}
