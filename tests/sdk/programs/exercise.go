// What a user of the Go client does; prints how the job ended and one error.
package main

import (
	"context"
	"fmt"
	"os"

	purser "github.com/purser/client"
)

func main() {
	configuration := purser.NewConfiguration()
	configuration.Servers = purser.ServerConfigurations{{URL: os.Args[1]}}
	client := purser.NewAPIClient(configuration)
	ctx := context.WithValue(context.Background(), purser.ContextAccessToken, os.Args[2])

	request := purser.NewJobRequest()
	request.SetCommand([]string{"true"})
	request.SetScenario(map[string]interface{}{"exit_code": 3})
	launched, _, err := client.JobsAPI.LaunchJob(ctx, "mock").JobRequest(*request).Prefer("wait=30").Execute()
	if err != nil {
		panic(err)
	}
	job := launched.Job
	fmt.Println(job.GetState(), job.GetReason(), job.GetExitCode())

	_, answer, err := client.JobsAPI.GetJob(ctx, "0193a1c2-5b7e-7c11-9d43-0a1b2c3d4e5f").Execute()
	problem := err.(*purser.GenericOpenAPIError).Model().(purser.Problem)
	fmt.Println(answer.StatusCode, problem.GetCode())
}
