/** A pipeline that needs nothing: two shell steps with a value from one to the other, and a loop. */

const shell = (script: string, args: string[] = []) => ({
  container: { image: "busybox", command: ["sh", "-c", script, "sample"], args },
});

export const SAMPLE_SPEC = {
  schemaVersion: "2.1.0",
  sdkVersion: "kfp-2.17.0",
  pipelineInfo: {
    name: "sample",
    description: "Writes a greeting, counts its letters in a loop, and reports.",
  },
  deploymentSpec: {
    executors: {
      "exec-greet": shell(
        'mkdir -p "$(dirname "$1")"; echo "greeting $0"; printf "Hello, %s!" "$2" > "$1"; cat "$1"; echo',
        ["{{$.outputs.parameters['greeting'].output_file}}", "{{$.inputs.parameters['name']}}"],
      ),
      "exec-count": shell(
        'for i in 1 2 3; do echo "pass $1: looking for the letter, round $i"; sleep 0.2; done; echo "$2" | tr -cd "$1" | wc -c',
        ["{{$.inputs.parameters['letter']}}", "{{$.inputs.parameters['text']}}"],
      ),
      "exec-report": shell('echo "report for: $1"; sleep 0.3; echo done', [
        "{{$.inputs.parameters['text']}}",
      ]),
    },
  },
  components: {
    "comp-greet": {
      executorLabel: "exec-greet",
      inputDefinitions: { parameters: { name: { parameterType: "STRING" } } },
      outputDefinitions: { parameters: { greeting: { parameterType: "STRING" } } },
    },
    "comp-count": {
      executorLabel: "exec-count",
      inputDefinitions: {
        parameters: { letter: { parameterType: "STRING" }, text: { parameterType: "STRING" } },
      },
    },
    "comp-report": {
      executorLabel: "exec-report",
      inputDefinitions: { parameters: { text: { parameterType: "STRING" } } },
    },
    "comp-for-loop-1": {
      inputDefinitions: {
        parameters: {
          "pipelinechannel--greet-greeting": { parameterType: "STRING" },
          "pipelinechannel--loop-item-param-1": { parameterType: "STRING" },
        },
      },
      dag: {
        tasks: {
          count: {
            cachingOptions: {},
            componentRef: { name: "comp-count" },
            taskInfo: { name: "count" },
            inputs: {
              parameters: {
                letter: { componentInputParameter: "pipelinechannel--loop-item-param-1" },
                text: { componentInputParameter: "pipelinechannel--greet-greeting" },
              },
            },
          },
        },
      },
    },
  },
  root: {
    inputDefinitions: {
      parameters: { name: { parameterType: "STRING", defaultValue: "World", description: "Whom to greet" } },
    },
    dag: {
      tasks: {
        greet: {
          cachingOptions: {},
          componentRef: { name: "comp-greet" },
          taskInfo: { name: "greet" },
          inputs: { parameters: { name: { componentInputParameter: "name" } } },
        },
        "for-loop-1": {
          componentRef: { name: "comp-for-loop-1" },
          dependentTasks: ["greet"],
          taskInfo: { name: "letters" },
          parameterIterator: {
            itemInput: "pipelinechannel--loop-item-param-1",
            items: { raw: '["l", "o", "e"]' },
          },
          inputs: {
            parameters: {
              "pipelinechannel--greet-greeting": {
                taskOutputParameter: { producerTask: "greet", outputParameterKey: "greeting" },
              },
            },
          },
        },
        report: {
          cachingOptions: {},
          componentRef: { name: "comp-report" },
          dependentTasks: ["for-loop-1", "greet"],
          taskInfo: { name: "report" },
          inputs: {
            parameters: {
              text: { taskOutputParameter: { producerTask: "greet", outputParameterKey: "greeting" } },
            },
          },
        },
      },
    },
  },
} as const;

/** What somebody could write first. */
export const FIRST_PIPELINE = `from kfp import compiler, dsl
from kfp.client import Client

@dsl.component
def greet(name: str) -> str:
    return f"Hello, {name}!"

@dsl.pipeline
def hello(name: str = "World"):
    greet(name=name)

Client(host="HOST").create_run_from_pipeline_func(hello, arguments={})
`;
