{{- define "chat.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "chat.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "chat.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "chat.selector" -}}
app.kubernetes.io/name: {{ include "chat.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "chat.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "chat.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "chat.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "chat.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* A value as the text of a variable. Helm reads numbers as floats, which would print as 2.6e+07. */}}
{{- define "chat.text" -}}
{{- if kindIs "float64" . -}}{{- int64 . -}}{{- else -}}{{- . -}}{{- end -}}
{{- end -}}

{{/* The image of the pods. */}}
{{- define "chat.image" -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}

{{/* The environment of the server. */}}
{{- define "chat.env" -}}
- name: SERVER_ID
  valueFrom:
    fieldRef: {fieldPath: metadata.name}
- {name: HOST, value: "0.0.0.0"}
- {name: PORT, value: "8080"}
- {name: DATA_DIR, value: /data}
- {name: DRAIN_SECONDS, value: {{ include "chat.text" .Values.drain.seconds | quote }}}
{{- if hasKey .Values.config "INTERNAL_PORT" }}
{{- if not (hasKey .Values.config "INTERNAL_HOST") }}
- {name: INTERNAL_HOST, value: "0.0.0.0"}
{{- end }}
{{- end }}
{{- range $name, $value := .Values.config }}
- {name: {{ $name }}, value: {{ include "chat.text" $value | quote }}}
{{- end }}
{{- range $name, $secret := .Values.secrets }}
- {name: {{ $name }}_FILE, value: {{ printf "/run/secrets/chat/%s" $name | quote }}}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "chat.mounts" -}}
- {name: data, mountPath: /data}
- {name: tmp, mountPath: /tmp}
{{- if .Values.secrets }}
- {name: secrets, mountPath: /run/secrets/chat, readOnly: true}
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "chat.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* Fails for values that would give servers that cannot work together. */}}
{{- define "chat.check" -}}
{{- $has := dict -}}
{{- range $name, $_ := .Values.config -}}{{- $_ := set $has $name true -}}{{- end -}}
{{- range $name, $_ := .Values.secrets -}}
{{- if hasKey $has $name -}}{{- fail (printf "%s is in config and in secrets; set it in one of them" $name) -}}{{- end -}}
{{- $_ := set $has $name true -}}
{{- end -}}
{{- if not (hasKey $has "JWT_SECRET") -}}
{{- fail "secrets.JWT_SECRET is missing: the servers check the tokens of their clients with it" -}}
{{- end -}}
{{- if or .Values.autoscaling.enabled (gt (int .Values.replicaCount) 1) -}}
{{- range $name := list "KAFKA_BROKERS" "MONGODB_URL" -}}
{{- if not (hasKey $has $name) -}}
{{- fail (printf "%s is missing in config or secrets: more than one server needs it" $name) -}}
{{- end -}}
{{- end -}}
{{- else if and (not (hasKey $has "MONGODB_URL")) (not .Values.persistence.enabled) -}}
{{- fail "persistence.enabled must be true without MONGODB_URL: the messages are in a SQLite file" -}}
{{- end -}}
{{- end -}}
