{{/* Combinations of values that the schema cannot check. */}}
{{- define "hmp-exporter.validate" -}}
{{- include "hmp-exporter.validateSource" . }}
{{- include "hmp-exporter.validateFiles" . }}
{{- if and .Values.scrapeConfig.enabled .Values.collector.sessions }}
{{- fail "scrapeConfig.enabled probes every session through /probe, and collector.sessions probes it again at every scrape of the telemetry path: set collector.sessions to false" }}
{{- end }}
{{- if and .Values.scrapeConfig.enabled (gt (int .Values.replicas) 1) (not .Values.sharding) }}
{{- fail "scrapeConfig.enabled with several replicas: the Service would choose another pod for each probe, and every pod would log in; set sharding to true" }}
{{- end }}
{{- if and .Values.sharding (not .Values.scrapeConfig.enabled) }}
{{- fail "sharding needs the relabelling of a ScrapeConfig: set scrapeConfig.enabled to true" }}
{{- end }}
{{- if and .Values.podDisruptionBudget.enabled (lt (int .Values.replicas) 2) }}
{{- fail "podDisruptionBudget.enabled needs at least 2 replicas: with one, it protects nothing or blocks maintenance" }}
{{- end }}
{{- if and .Values.prometheusRule.enabled (not .Values.prometheusRule.runbookPrefix) (not .Values.web.externalUrl) }}
{{- fail "prometheusRule.enabled: alerts link to a runbook; set web.externalUrl, for the runbook of the exporter, or prometheusRule.runbookPrefix" }}
{{- end }}
{{- if and (eq .Values.web.scheme "HTTPS") (not .Values.web.configFile) }}
{{- fail "web.scheme is HTTPS, but there is no certificate: set web.configFile to a web configuration with TLS" }}
{{- end }}
{{- end }}

{{/* There is one source of the configuration. */}}
{{- define "hmp-exporter.validateSource" -}}
{{- $sources := list }}
{{- if .Values.config }}{{ $sources = append $sources "config" }}{{ end }}
{{- if .Values.configSecret.name }}{{ $sources = append $sources "configSecret.name" }}{{ end }}
{{- if .Values.environment.url }}{{ $sources = append $sources "environment.url" }}{{ end }}
{{- if .Values.demo }}{{ $sources = append $sources "demo" }}{{ end }}
{{- if not $sources }}
{{- fail "there is nothing to watch: set config, the contents of hmp.yml (or configSecret.name, environment.url, or demo)" }}
{{- else if gt (len $sources) 1 }}
{{- fail (printf "the configuration has several sources: %s; keep one" (join " and " $sources)) }}
{{- end }}
{{- $env := .Values.environment }}
{{- $token := not (empty $env.tokenFile) }}
{{- $key := and $env.apiKeyFile $env.apiSecretFile }}
{{- $more := regexMatch "HMP_(TOKEN|API_KEY|API_SECRET)" (toJson .Values.extraEnv) }}
{{- if and $env.url (not $more) (not (or (and $token (not $env.apiKeyFile) (not $env.apiSecretFile)) (and $key (not $token)))) }}
{{- fail "environment.url needs either environment.tokenFile, or both environment.apiKeyFile and environment.apiSecretFile (or HMP_TOKEN, HMP_API_KEY and HMP_API_SECRET in extraEnv)" }}
{{- else if and (not $env.url) (or $token $env.apiKeyFile $env.apiSecretFile) }}
{{- fail "environment has files but no environment.url" }}
{{- end }}
{{- end }}

{{/* Secrets are files, and the files exist. */}}
{{- define "hmp-exporter.validateFiles" -}}
{{- $files := list }}
{{- range .Values.files }}
{{- range concat (dig "secret" "items" list .) (dig "configMap" "items" list .) }}
{{- if eq .path "hmp.yml" }}
{{- fail "files contains hmp.yml, the path of the configuration: use config or configSecret" }}
{{- end }}
{{- if has .path $files }}
{{- fail (printf "files contains %s twice" .path) }}
{{- end }}
{{- $files = append $files .path }}
{{- end }}
{{- end }}
{{- $named := dict "web.configFile" .Values.web.configFile }}
{{- range $field, $file := omit .Values.environment "url" }}
{{- $_ := set $named (printf "environment.%s" $field) $file }}
{{- end }}
{{- range $t, $target := dig "targets" list (default dict .Values.config) }}
{{- range $s, $session := dig "sessions" list $target }}
{{- $path := printf "config.targets[%d].sessions[%d]" $t $s }}
{{- range $field := list "token" "api_key" "api_secret" }}
{{- if hasKey $session $field }}
{{- fail (printf "%s.%s would be a secret in a ConfigMap: put it into a Secret, name that under files, and set %s_file to the path there" $path $field $field) }}
{{- end }}
{{- $file := printf "%s_file" $field }}
{{- $_ := set $named (printf "%s.%s" $path $file) (dig $file "" $session) }}
{{- end }}
{{- end }}
{{- include "hmp-exporter.validateSecrets" (dict "path" (printf "config.targets[%d]" $t) "target" $target) }}
{{- end }}
{{- range $field, $file := $named }}
{{- if and $file (not (hasPrefix "/" $file)) (not (has $file $files)) }}
{{- fail (printf "%s is %s, but no item of files has this path" $field $file) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Other fields of a target that can contain a secret. */}}
{{- define "hmp-exporter.validateSecrets" -}}
{{- $instead := "would be a secret in a ConfigMap" }}
{{- if dig "tls_config" "key" "" .target }}
{{- fail (printf "%s.tls_config.key %s: use key_file, and name its Secret under files" .path $instead) }}
{{- end }}
{{- if contains "@" (dig "proxy_url" "" .target) }}
{{- fail (printf "%s.proxy_url has a password, which %s: use configSecret for such a configuration" .path $instead) }}
{{- end }}
{{- if dig "proxy_connect_header" dict .target }}
{{- fail (printf "%s.proxy_connect_header %s: use configSecret for such a configuration" .path $instead) }}
{{- end }}
{{- range $name, $header := dig "http_headers" dict .target }}
{{- if dig "secrets" list $header }}
{{- fail (printf "%s.http_headers.%s.secrets %s: use its files, and name their Secret under files" $.path $name $instead) }}
{{- end }}
{{- end }}
{{- end }}
